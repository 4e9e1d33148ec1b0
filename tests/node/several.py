"""Several real validators in one process: disks, journals and LMDB are real, the log and the peers are in memory.

Everything goes through the nodes' own threads; a test waits for conditions. ``stop`` and ``start`` one as often as
wanted; the log lives on, as servers do.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from stoa.intake.gate import Accepted
from stoa.kernel.base import Instruction
from stoa.kernel.time import DAY
from stoa.ledger.assets.register_cash import RegisterCash
from stoa.ledger.catalog import Body, Receipt, checked_body, read_receipt
from stoa.ledger.compliance.attest import Attest
from stoa.ledger.genesis import Genesis, Parameter
from stoa.ledger.governance.model import BATCH_LINGER_MS, SetParameters, Setting
from stoa.ledger.governance.propose import Propose
from stoa.ledger.governance.vote import Vote
from stoa.ledger.identity.open_account import OpenAccount
from stoa.ledger.identity.register_party import RegisterParty
from stoa.ledger.settlement.issue import Issue
from stoa.node.finality import Validator
from stoa.node.found import found
from stoa.node.links import Links
from stoa.node.node import Node, wall_clock
from stoa.ordering.condition import WELL, Condition
from stoa.ordering.engine import LogClosed, Ordered
from stoa.wire.envelope import sign_body
from tests.ledger.hall import CASH_TERMS, CHAIN, Hall, account, public, secret
from tests.peers import local

NAMES = ("BROKER-A", "BROKER-B", "FSS", "KSD", "VENUE")
PATIENCE = 60.0  # seconds; what takes so long has failed


class Log:
    """One order of batches, kept for all readers."""

    def __init__(self) -> None:
        self.batches: list[Ordered] = []
        self.changed = threading.Condition()


class Reader:
    """Satisfies ``Engine`` for one validator."""

    def __init__(self, log: Log) -> None:
        self._log, self._closed = log, False

    def publish(self, batch: bytes) -> int:
        with self._log.changed:
            if self._closed:
                raise LogClosed("closed")
            self._log.batches.append(Ordered(len(self._log.batches) + 1, wall_clock(), batch))
            self._log.changed.notify_all()
            return len(self._log.batches)

    def read(self, after: int, timeout: float) -> Ordered | None:
        with self._log.changed:
            self._log.changed.wait_for(lambda: len(self._log.batches) > after or self._closed, timeout)
            return self._log.batches[after] if len(self._log.batches) > after else None

    def condition(self) -> Condition:
        return WELL

    def close(self) -> None:
        with self._log.changed:
            self._closed = True
            self._log.changed.notify_all()


class Several:
    """A ledger of several validators, founded in a folder; all are started."""

    def __init__(self, folder: Path, names: tuple[str, ...] = NAMES, **parameters: int) -> None:
        self.folder, self.names = folder, names
        self.log, self.hall, self.nodes = Log(), local.Hall(), dict[str, Node]()
        genesis = Hall(checked=False, validators=names).genesis
        chosen = tuple(Parameter(name, value) for name, value in {BATCH_LINGER_MS: 1, **parameters}.items())
        self.genesis: Genesis = replace(genesis, time=wall_clock(), parameters=chosen)
        self.sequences: Counter[str] = Counter()
        self.proposals = 0
        for name in names:
            self.found(name)
            self.start(name)

    def found(self, name: str) -> None:
        """A folder with genesis alone."""
        found(self.folder / name, self.genesis)

    def start(self, name: str) -> Node:
        validator = Validator(name, secret(f"{name} votes"))
        links = partial(self._links, name)
        node = Node(self.folder / name, validator, links=links)
        self.nodes[name] = node
        node.start()
        return node

    def _links(self, name: str, _: str) -> Links:
        return Links(lambda *_: Reader(self.log), self.hall.enter(name))

    def stop(self, name: str) -> None:
        node = self.nodes.pop(name)
        assert node.peers is not None
        node.peers.close()
        node.close()

    def close(self) -> None:
        for name in list(self.nodes):
            self.stop(name)

    def signed(self, *instructions: Instruction, by: str = "BROKER-A") -> bytes:
        """An envelope with the signer's next sequence."""
        self.sequences[by] += 1
        who = account(by)
        body = checked_body(Body(CHAIN, who, 0, self.sequences[by], wall_clock() + 3_600_000, instructions))
        return sign_body(body, [(who, secret(by))])

    def do(self, *instructions: Instruction, through: str = "", by: str = "BROKER-A") -> Receipt:
        """Submit to a node, wait, must be applied."""
        node = self.nodes[through or next(iter(self.nodes))]
        accepted = node.submit(self.signed(*instructions, by=by))
        assert isinstance(accepted, Accepted), accepted
        located = node.wait(accepted.transaction, PATIENCE)
        assert located is not None, (node.health(), node.network())
        receipt = read_receipt(located.receipt)
        assert receipt.rejection is None, receipt.rejection
        return receipt

    def party(self, through: str = "") -> Receipt:
        """The cheapest act there is: one more party."""
        return self.do(RegisterParty(1_000 + self.sequences["BROKER-A"], False, "BROKER-A"), through=through)

    def money(self, name: str, units: int) -> None:
        """A person with cash."""
        self.do(RegisterCash("USD", "BANK", "USD deposit", "USD", 2, CASH_TERMS), by="BANK")
        opening = OpenAccount(77, "BROKER-A", 1, (public(name),))
        self.do(RegisterParty(77, False, "BROKER-A"), opening)
        self.do(Attest(77, "identity", "IDP", "KR", wall_clock() + 3_650 * DAY), by="IDP")
        self.do(Issue("USD", account(name), units, 0, 0), by="BANK")

    def decide(self, **parameters: int) -> int:
        """The members vote for these parameters; the height from which they count, not yet reached."""
        self.proposals += 1
        voters = self.names[: self.nodes[self.names[0]].members().quorum]
        height = self.party().height + len(voters) + 3
        settings = tuple(Setting(name, value) for name, value in parameters.items())
        propose = Propose(voters[0], SetParameters(settings), height, wall_clock() + 3_600_000, "as agreed")
        self.do(propose, by=voters[0])
        for one in voters[1:]:  # who proposes has voted
            self.do(Vote(self.proposals, one, True), by=one)
        return height

    def blocks(self, count: int, through: str = "") -> int:
        """So many blocks more; returns the height."""
        for _ in range(count):
            height = self.party(through).height
        return height

    def level(self) -> int:
        """Wait until all that run have the same last final block, and return its height."""
        until(lambda: len({node.health().block_hash for node in self.nodes.values()}) == 1, self._standing)
        return next(iter(self.nodes.values())).health().height

    def _standing(self) -> object:
        return {name: (node.health(), node.voice.alarms) for name, node in self.nodes.items()}


def until(condition: Callable[[], Any], why: Callable[[], object] = lambda: "") -> Any:
    """What the condition gives, once it gives something."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited in vain: {why()}")
