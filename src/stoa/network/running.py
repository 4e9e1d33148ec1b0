"""The members of a network as processes of this machine: start, stop, let fail, look at.

Where only some institutions' folders are (on a host of its own there is one), only those members are here. Promises:
what is up is not started twice, servers are up before validators, validators are down before servers. Does not own: why
a validator or server is not well; it says where its log is.
"""

import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec

from stoa.custody.keystore import Keystore, WrongPassphrase
from stoa.custody.secret import Secret
from stoa.network import folders
from stoa.network.hosts import Hosts, NoHosts, Way
from stoa.network.looking import Ordering, Silence, Standing, ask, ask_json, beside, look_at
from stoa.network.plan import Member, Plan, read_plan
from stoa.network.ports import taken_port
from stoa.network.processes import Process
from stoa.network.programs import server_command, validator_command
from stoa.network.reseed import OPEN_SECONDS, Left, Operator
from stoa.node.config import PASSPHRASE_VARIABLE, load_config

PATIENCE: Final = 60.0  # seconds until a started program must answer
GLANCE: Final = 0.05

T = TypeVar("T")
Part = Literal["server", "validator"]
PARTS: Final[tuple[Part, ...]] = ("server", "validator")  # in the order of starting
Told = Callable[[str, Part, str], None]


class NoNetwork(Exception):
    """There is no network in the folder."""


class NotUp(Exception):
    """Programs did not come up; the message has the ends of their logs."""


def _nobody(code: str, part: Part, what: str) -> None:
    """Where nobody listens."""


class Running:
    """The members that are here. ``told`` hears what becomes of each program."""

    def __init__(
        self, folder: Path, told: Told = _nobody, validator: Callable[[Path], list[str]] = validator_command
    ) -> None:
        """``validator`` is the command that runs a folder's validator. Raises NoNetwork and BadFile."""
        self.folder, self._told, self._validator = folder, told, validator
        self.plan = _plan_of(folder)
        self.here = tuple(one for one in self.plan.members if (folder / one.code).is_dir())
        self.hosts = Hosts(self.plan, folder) if self.plan.hosts else None

    def process(self, member: Member, part: Part) -> Process:
        """A program of a member."""
        inner = self.folder / member.code
        prefix = self.hosts.inside(member) if self.hosts else []
        command = server_command(inner) if part == "server" else self._validator(inner)
        return Process(inner, part, prefix, command)

    # starting and stopping

    def up(self, members: Iterable[Member], parts: Iterable[Part], passphrase: Secret | None = None) -> None:
        """Start what is not up and wait until it answers. Raises NotUp, NoHosts and NoProgram.

        What does not come up keeps nobody else from it: NotUp is raised when all others are up. A member whose keystore
        the passphrase does not open is not started at all.
        """
        asked, wanted = tuple(members), tuple(parts)
        if self.hosts:
            self.hosts.set_up()
        wrong = {one.code: why for one in asked if (why := self._obstacle(one, wanted, passphrase))}
        for part in PARTS:
            if part in wanted:
                environment = _environment(passphrase if part == "validator" else None)
                chosen = [one for one in asked if one.code not in wrong]
                for member in chosen:
                    started = self.process(member, part).start(environment)
                    self._told(member.code, part, "starts" if started else "is up already")
                for member in chosen:
                    try:
                        self._await(member, part)
                    except NotUp as error:
                        wrong[member.code] = str(error)
                up = [one for one in chosen if one.code not in wrong]
                if part == "server" and len(asked) == len(self.plan.members) > 1 and 2 * len(up) > len(asked):
                    self._await_leader(up)
        if wrong:
            raise NotUp("\n".join(wrong.values()))

    def _obstacle(self, member: Member, parts: Iterable[Part], passphrase: Secret | None) -> str:
        """What keeps a member's programs that are down from starting, as can be seen beforehand; or nothing."""
        inner = self.folder / member.code
        down = [part for part in parts if self.process(member, part).state == "stopped"]
        if "validator" in down and passphrase is not None:
            try:
                Keystore(inner / load_config(inner).keystore, passphrase)
            except WrongPassphrase as error:
                return f"{member.code}: {error}"
        if "server" in down and (taken := beside(partial(taken_port, inner / folders.SERVER_CONF), self.space(member))):
            way = f"end the program that has it, or found the network with another port for {member.code}"
            return f"{member.code}: the server cannot start. {taken}: {way}"
        return ""

    def down(self, members: Iterable[Member], parts: Iterable[Part] = PARTS) -> None:
        """Stop what is up, validators before servers. A whole network's namespaces go with it."""
        chosen, wanted = tuple(members), tuple(parts)
        for part in reversed(PARTS):
            if part in wanted:
                asked = [(member, self.process(member, part)) for member in chosen]
                were = [process.ask_to_end() for _, process in asked]
                for (member, process), was in zip(asked, were, strict=True):
                    process.await_end()
                    self._told(member.code, part, "stopped" if was else "was not up")

    def remove_hosts(self) -> None:
        """Remove the network's namespaces, if it has any."""
        if self.hosts:
            self.hosts.pull_down()

    def signal(self, member: Member, parts: Iterable[Part], number: signal.Signals) -> dict[str, bool]:
        """Send a signal to programs of a member; which of them were up."""
        return {part: self.process(member, part).signal(number) for part in parts}

    def kill(self, member: Member, parts: Iterable[Part]) -> dict[str, bool]:
        """End programs of a member as a crash would; which of them were up."""
        return {part: self.process(member, part).kill() for part in parts}

    def reload(self) -> None:
        """Let every server that runs read its configuration again, and wait until it has. Raises NotUp.

        One that keeps no log is started again, after the others: told to read again it would forget that others do.
        """
        up = [one for one in self.here if self.process(one, "server").state == "running"]
        keeping = [one for one in up if one.log]
        before = {one.code: self._loaded(one) for one in keeping}
        for member in keeping:
            self.process(member, "server").signal(signal.SIGHUP)
        for member in keeping:
            self._until(member, "server", lambda one=member: self._loaded(one) != before[one.code])  # type: ignore[misc]
        for member in up:
            if not member.log:
                self.down((member,), ("server",))
                self.up((member,), ("server",))

    # failing

    def cut(self, member: Member, way: Way) -> None:
        """Partition a member off. Raises NoHosts."""
        self._hosts().cut(member, way)

    def heal(self, member: Member) -> None:
        """Undo a partition. Raises NoHosts."""
        self._hosts().heal(member)

    def _hosts(self) -> Hosts:
        if self.hosts is None:
            raise NoHosts(
                "the members of this network share one loopback interface, which cannot be cut; "
                "found a network with a namespace for each: stoa network init --hosts"
            )
        return self.hosts

    def reseed(self, members: Iterable[Member], passphrase: Secret, epoch: int = 0) -> dict[str, Left]:
        """Have these members' validators leave the epoch they are in, or all before the given one, and wait until
        another has begun or time is up. Raises NotReached, KeystoreError."""
        chosen = tuple(members)
        asked = epoch or 1 + max(self._beside_operator(one, passphrase, Operator.epoch) for one in chosen)
        for one in chosen:
            self._beside_operator(one, passphrase, lambda operator: operator.leave(asked))
        until = time.monotonic() + OPEN_SECONDS
        waited = {
            one.code: self._beside_operator(one, passphrase, lambda operator: operator.wait(asked, until))
            for one in chosen
        }
        return {code: Left(asked, epoch) for code, epoch in waited.items()}

    def _beside_operator(self, member: Member, passphrase: Secret, act: Callable[[Operator], T]) -> T:
        def work() -> T:
            with Operator(self.folder / member.code, self.plan.chain, passphrase) as operator:
                return act(operator)

        return beside(work, self.space(member))

    # looking

    def status(self) -> tuple[Standing, ...]:
        """How each member here is, with its lag behind the highest."""
        found = [self._standing(member) for member in self.here]
        highest = max((one.height for one in found), default=-1)
        lags = [highest - one.height if one.height >= 0 else 0 for one in found]
        spaces = [self.space(member) for member in self.here]
        return tuple(
            msgspec.structs.replace(one, lag=lag, namespace=space)
            for one, lag, space in zip(found, lags, spaces, strict=True)
        )

    def _standing(self, member: Member) -> Standing:
        validator, server = self.process(member, "validator").state, self.process(member, "server").state
        cut = (self.hosts.way(member) or "") if self.hosts else ""
        if self.hosts and not self.hosts.has(member):
            return Standing(member.code, validator, Ordering(server), validator)
        return beside(lambda: look_at(self.plan.chain, member, validator, server, cut), self.space(member))

    def space(self, member: Member) -> str:
        """The network namespace that the member lives in; empty: this machine's own."""
        return self.hosts.namespace(member) if self.hosts else ""

    def ready(self, member: Member) -> bool:
        """Whether the member says that it is ready."""
        return self._standing_of(member).health == "ready"

    def _standing_of(self, member: Member) -> Standing:
        return next(found for found in self.status() if found.code == member.code)

    # waiting

    def until_level(self, member: Member, patience: float) -> None:
        """Wait until the member is at the height of the others, whether it may vote or not. Raises NotUp."""
        until = time.monotonic() + patience
        while True:
            one = self._standing_of(member)
            if one.height >= 0 and one.lag == 0:
                return
            if time.monotonic() > until:
                raise NotUp(f"{member.code}: {one.health}, {one.lag} blocks behind after {patience:.0f} s")
            time.sleep(GLANCE)

    def _await(self, member: Member, part: Part) -> None:
        port, path = (
            (member.monitor, "/healthz?js-server-only=true") if part == "server" else (member.port, "/health/live")
        )

        def answers() -> bool:
            return beside(lambda: ask(port, path)[0] == 200, self.space(member))

        self._until(member, part, answers)

    def _await_leader(self, members: Sequence[Member]) -> None:
        """Wait until one of the servers knows who leads them: the first time all are needed, later a majority, to which
        a given one need not belong."""
        self._until(members[0], "server", lambda: any(map(self._knows_leader, members)))

    def _knows_leader(self, member: Member) -> bool:
        try:
            told = beside(lambda: ask_json(member.monitor, "/jsz"), self.space(member))
        except Silence:
            return False
        return bool(told.get("meta_cluster", {}).get("leader"))

    def _loaded(self, member: Member) -> str:
        """When the member's server last read its configuration."""
        return str(beside(lambda: ask_json(member.monitor, "/varz"), self.space(member)).get("config_load_time", ""))

    def _until(self, member: Member, part: Part, condition: Callable[[], bool]) -> None:
        process = self.process(member, part)
        until = time.monotonic() + PATIENCE
        while True:
            try:
                if condition():
                    return
            except Silence:
                pass
            ended = process.state == "stopped"
            if ended or time.monotonic() > until:
                why = "ended" if ended else f"did not answer within {PATIENCE:.0f} s"
                raise NotUp(f"{member.code}: the {part} {why}. {process.log}:\n{process.tail()}")
            time.sleep(GLANCE)


def _plan_of(folder: Path) -> Plan:
    """The plan of the network in the folder, or of the institutions whose folders are in it."""
    for path in (folder / folders.PLAN, *sorted(folder.glob(f"*/{folders.PLAN}"))):
        if path.is_file():
            return read_plan(path, founding=False)
    raise NoNetwork(str(folder))


def _environment(passphrase: Secret | None) -> dict[str, str]:
    """This process's environment without its secrets and its folder; with the passphrase, for a validator."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STOA_")}
    if passphrase is not None:
        kept[PASSPHRASE_VARIABLE] = passphrase.reveal().decode()
    return kept
