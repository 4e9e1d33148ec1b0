"""``stoa network up`` and what follows: processes started, looked at, let fail, healed and stopped."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

from cyclopts import Parameter

from stoa.cli.houses import passphrase
from stoa.cli.network_words import worded
from stoa.cli.networking import Code, network, running
from stoa.cli.shell import PLAIN, Common, Trouble, Usage, console, write_json

if TYPE_CHECKING:
    from rich.table import Table

    from stoa.custody.secret import Secret
    from stoa.network.looking import Standing
    from stoa.network.plan import Member
    from stoa.network.running import Part, Running

Chosen = Literal["validator", "server", "both"]
ThePart = Annotated[Chosen, Parameter(help="Its validator, its ordering server, or both.")]
LOOK_SECONDS: Final = 1.0
MIN_WIDTH: Final = 9
FOLDED: Final = (1, 6, 8)  # columns of the status whose words may take several lines


def _parts(part: Chosen) -> "tuple[Part, ...]":
    return ("server", "validator") if part == "both" else (part,)


def _member(net: "Running", code: str) -> "Member":
    try:
        member = net.plan.member(code)
    except LookupError as error:
        raise Usage(str(error.args[0])) from None
    if member not in net.here:
        raise Usage(f"{code} is not on this machine: there is no folder {net.folder / code}")
    return member


@contextmanager
def _troubles() -> "Iterator[None]":
    from stoa.network.hosts import NoHosts
    from stoa.network.programs import NoProgram
    from stoa.network.running import NotUp

    try:
        yield
    except NoHosts as error:
        raise Usage(str(error)) from None
    except (NotUp, NoProgram) as error:
        raise Trouble(str(error)) from None


@network.command
def up(
    *,
    only: Annotated[str, Parameter(help="One institution's code; by default every one that has a folder here.")] = "",
    part: ThePart = "both",
    detach: Annotated[bool, Parameter(negative="", help="Leave it running and return.")] = False,
    common: Common = PLAIN,
) -> None:
    """Start ordering servers, then validators, and show how they are until Ctrl-C, which stops them."""
    net = running(common, telling(common))
    members = (_member(net, only),) if only else net.here
    word = passphrase(common) if part != "server" else None
    if detach:
        with _troubles():
            net.up(members, _parts(part), word)
        _answer_status(net, common)
        return
    with _troubles():
        try:
            _hear_the_end()  # from the start, so that nothing is left behind
            _up_if_any(net, members, _parts(part), word)
            _watch(net, common)
        except _Ended:
            pass
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)  # it ends already
            _down(net, members)


class _Ended(BaseException):
    """The command is told to end. Not KeyboardInterrupt: one that comes while a module is imported makes Python end
    itself by the signal in the end, whoever has caught it (``exec`` of a string leaves a mark that stays)."""


def _hear_the_end() -> None:
    """Both signals that end a command raise _Ended; Ctrl-C not where it is ignored, as behind a script."""

    def end(*_: object) -> None:
        raise _Ended

    signal.signal(signal.SIGTERM, end)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, end)


def _up_if_any(net: "Running", members: "tuple[Member, ...]", parts: "tuple[Part, ...]", word: "Secret | None") -> None:
    """Start them. That some do not come up is said, and no reason to stop the others."""
    from stoa.network.running import NotUp

    try:
        net.up(members, parts, word)
    except NotUp as error:
        if not any(net.process(one, parts[-1]).state == "running" for one in members):
            raise
        console(stderr=True).print(str(error), style="red", markup=False, highlight=False)


def _down(net: "Running", members: "tuple[Member, ...]") -> None:
    net.down(members)
    if members == net.here:
        net.remove_hosts()


@network.command
def down(*, common: Common = PLAIN) -> None:
    """Stop every validator and every ordering server of the network that was started here."""
    net = running(common, telling(common))
    with _troubles():
        _down(net, net.here)
    common.done({"down": [one.code for one in net.here]}, "The network is down.", "네트워크를 종료했습니다.")


@network.command
def status(
    *,
    watch: Annotated[bool, Parameter(negative="", help="Show it again every second until Ctrl-C.")] = False,
    common: Common = PLAIN,
) -> None:
    """Show height, finality, producer, votes, lag and health of each member, and how its ordering server is."""
    net = running(common)
    if watch and not common.json:
        with suppress(KeyboardInterrupt):
            _watch(net, common)
    else:
        _answer_status(net, common)


@network.command
def reseed(
    *,
    only: Annotated[str, Parameter(help="One institution's code; by default every one that has a folder here.")] = "",
    epoch: Annotated[int, Parameter(help="The epoch that is to begin; by default the next.")] = 0,
    common: Common = PLAIN,
) -> None:
    """Leave a log that has failed its members: when a quorum of them does so, the next epoch begins with a new log."""
    from stoa.network.reseed import NotReached

    net = running(common)
    members = (_member(net, only),) if only else net.here
    try:
        left = net.reseed(members, passphrase(common), epoch)
    except NotReached as error:
        raise Trouble(str(error)) from None
    asked = next(iter(left.values())).promised
    begun = all(one.epoch >= asked for one in left.values())
    answer = {"epoch": asked, "begun": begun, "validators": {code: one.epoch for code, one in left.items()}}
    if begun:
        common.done(answer, f"Epoch {asked} has begun.", f"에포크 {asked}이(가) 시작되었습니다.")
    else:
        en = f"Promised to leave for epoch {asked}; it begins when a quorum of members has promised."
        common.done(answer, en, f"에포크 {asked}로의 전환을 약속했습니다. 정족수가 약속하면 시작됩니다.")


@network.command
def stop(code: Code, *, part: ThePart = "both", common: Common = PLAIN) -> None:
    """Stop a member in good order."""
    net = running(common)
    member = _member(net, code)
    net.down((member,), _parts(part))
    _acted(net, member, common)


@network.command
def start(code: Code, *, part: ThePart = "both", common: Common = PLAIN) -> None:
    """Start a member that was stopped or killed."""
    net = running(common)
    member = _member(net, code)
    with _troubles():
        net.up((member,), _parts(part), passphrase(common) if part != "server" else None)
    _acted(net, member, common)


@network.command
def kill(code: Code, *, part: ThePart = "both", common: Common = PLAIN) -> None:
    """Kill a member, as a crash would."""
    net = running(common)
    member = _member(net, code)
    net.kill(member, _parts(part))
    _acted(net, member, common)


@network.command
def pause(code: Code, *, part: ThePart = "both", common: Common = PLAIN) -> None:
    """Halt a member where it is, as a machine that hangs."""
    net = running(common)
    member = _member(net, code)
    net.signal(member, _parts(part), signal.SIGSTOP)
    _acted(net, member, common)


@network.command
def resume(code: Code, *, part: ThePart = "both", common: Common = PLAIN) -> None:
    """Let a paused member go on."""
    net = running(common)
    member = _member(net, code)
    net.signal(member, _parts(part), signal.SIGCONT)
    _acted(net, member, common)


@network.command
def partition(
    code: Code,
    *,
    one_way: Annotated[
        Literal["in", "out"] | None, Parameter(help="in: nothing reaches it; out: nothing leaves it.")
    ] = None,
    common: Common = PLAIN,
) -> None:
    """Cut a member's host off from the others. For networks that were founded with --hosts."""
    net = running(common)
    member = _member(net, code)
    with _troubles():
        net.cut(member, one_way or "both")
    _acted(net, member, common)


@network.command
def heal(code: Code, *, common: Common = PLAIN) -> None:
    """Undo a partition."""
    net = running(common)
    member = _member(net, code)
    with _troubles():
        net.heal(member)
    _acted(net, member, common)


def _acted(net: "Running", member: "Member", common: Common) -> None:
    """How the member's programs are now."""
    states = {part: net.process(member, part).state for part in ("server", "validator")}
    cut = (net.hosts.way(member) or "") if net.hosts else ""
    common.fields({"institution": member.code, **states, "cut": cut})


def telling(common: Common) -> Any:
    """Who says on the terminal what becomes of each program."""
    out = console(stderr=True)

    def tell(code: str, part: str, what: str) -> None:
        if not common.json:
            named, words = worded(part, common.tongue), worded(what, common.tongue)
            with suppress(SystemExit):  # nobody reads it any more; what is done is done to the end
                out.print(f"[dim]{code:24}[/] {named:9} {words}", highlight=False)

    return tell


def _answer_status(net: "Running", common: Common) -> None:
    found, rule = net.status(), _rule(net)
    common.answer(
        {"chain": net.plan.chain, "quorum": rule.name, "members": found},
        lambda out: out.print(_table(net.plan.chain, rule, found, common)),
    )


class Rule(NamedTuple):
    """The rule of the quorum in force, how many votes it asks for now, and of how many; 0 where none ran yet."""

    name: str
    quorum: int = 0
    seats: int = 0


def _rule(net: "Running") -> Rule:
    """That of the ledger; as founded, if no validator ran yet."""
    from stoa.network.deciding import NotDecided, latest
    from stoa.node.state_store import Unusable

    try:
        found = latest(net)
    except (NotDecided, Unusable):
        return Rule(net.plan.quorum)
    return Rule(found.rule, found.members.quorum, len(found.members.keys))


def _table(chain: str, rule: Rule, found: "tuple[Standing, ...]", common: Common) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    versions = {one.version for one in found if one.version}
    table = Table(
        title=_title(chain, rule, versions, common), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    heads = common.words(
        "institution,validator,seat,height,lag,block,made by,votes,server",
        "기관,검증기관 노드,의석,높이,지연,블록,생성 기관,투표,순서 서버",
    )
    for at, name in enumerate(heads.split(",")):
        table.add_column(name, overflow="fold", no_wrap=at not in FOLDED, min_width=MIN_WIDTH if at in FOLDED else None)
    if len(versions) > 1:
        table.add_column(common.words("version", "버전"))
    for one in found:
        table.add_row(
            one.code, _validator(one, common), _seat(one, common), str(one.height) if one.height >= 0 else "",
            str(one.lag) if one.height >= 0 else "", one.block_hash[:8], one.producer, str(one.votes or ""),
            _server(one, common), *([one.version] if len(versions) > 1 else []),
        )  # fmt: skip
    if reasons := [f"{one.code}: {why}" for one in found if (why := _why(one, common))]:
        table.caption, table.caption_justify = Text("\n".join(reasons), style="red"), "left"
    return table


def _title(chain: str, rule: Rule, versions: set[str], common: Common) -> str:
    """The network, the rule by which it votes, and the version of the programs, if all have one."""
    votes = common.words(f": {rule.quorum} of {rule.seats} votes", f": {rule.seats}표 중 {rule.quorum}표")
    version = common.words(f", version {min(versions)}", f", 버전 {min(versions)}") if len(versions) == 1 else ""
    return f"{chain} ({rule.name}{votes if rule.seats else ''}){version}"


def _validator(one: "Standing", common: Common) -> str:
    """A validator in a few words: how it is, and what waits for a block."""
    well = "green" if one.health == "ready" else "red"
    waits = common.words(f", {one.waiting} wait", f", 대기 {one.waiting}") if one.waiting else ""
    told = "not ready" if _why(one, common) else one.health
    return f"[{well}]{worded(told, common.tongue)}[/]{waits}"


def _why(one: "Standing", common: Common) -> str:
    """The sentence why a validator is not ready, if it says one."""
    said = " " in one.health
    return common.words(one.health, one.health_ko or one.health) if said else ""


def _seat(one: "Standing", common: Common) -> str:
    """Whether a validator may vote; nothing where it does not say."""
    if one.seat is None:
        return ""
    return common.words("yes", "있음") if one.seat else common.words("none", "없음")


def _server(one: "Standing", common: Common) -> str:
    """An ordering server in a few words: how it is, how many others it reaches, whether it leads them or is cut off."""
    server = one.ordering
    if server.state != "running":
        return f"[red]{worded(server.state, common.tongue)}[/]"
    fine = server.healthy and (server.synced or not server.keeps_log)
    well = f"[{'green' if fine else 'red'}]{worded('ok' if fine else 'unwell', common.tongue)}[/]"
    leads = common.words(" leads", " 리더") if server.leader == one.code else ""
    cut = {"both": "cut off", "in": "hears nothing", "out": "is not heard", "": ""}[one.cut]
    return f"{well} +{server.routes}{leads}" + (f" [red]{worded(cut, common.tongue)}[/]" if cut else "")


def _watch(net: "Running", common: Common) -> None:
    """Show the status every second until Ctrl-C; as JSON, once."""
    import time

    from rich.live import Live

    if common.json:
        write_json({"chain": net.plan.chain, "members": net.status()})
        while True:
            time.sleep(LOOK_SECONDS)

    def look() -> "Table":
        return _table(net.plan.chain, _rule(net), net.status(), common)

    with Live(look(), auto_refresh=False) as live:
        while True:
            time.sleep(LOOK_SECONDS)
            live.update(look(), refresh=True)
