"""A script of batches with what each must give, played before by an independent, uninterrupted ledger in memory.

The blocks of a hall (``tests.ledger.hall``) are recorded: their envelopes, their time, their receipts, and the root
over the rows after each. A node with the same batches must come to the same, whatever happens to it on the way.
"""

from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Final, NamedTuple

from stoa.kernel import merkle
from stoa.kernel.codec import encode
from stoa.kernel.time import DAY
from stoa.ledger.catalog import Receipt
from stoa.ledger.genesis import encode_genesis
from stoa.ledger.holds.place_hold import PlaceHold
from stoa.ledger.settlement.issue import Issue
from stoa.ledger.state import FinalState
from stoa.node.finality import Validator
from stoa.node.proofs import state_hashes
from stoa.ordering.engine import Ordered
from stoa.wire.batch import BatchBody, sign_batch
from tests.ledger.hall import CHAIN, Hall, account, secret, send

VALIDATOR: Final = Validator("KSD", secret("KSD votes"))
PEOPLE: Final = ("kim", "lee")
BLOCKS: Final = 6  # of trade, after those that set the hall up


class Played(NamedTuple):
    """One batch as the log gives it, and what it led to in the hall."""

    raw: bytes
    time: int
    envelopes: tuple[bytes, ...]
    receipts: tuple[bytes, ...]
    root: bytes


class Script(NamedTuple):
    """A whole history. ``root`` is the state's after genesis."""

    genesis: bytes
    root: bytes
    batches: tuple[Played, ...]


class Recorder(Hall):
    """A hall that keeps what it plays."""

    def __init__(self, validators: Sequence[str] = (VALIDATOR.institution,)) -> None:
        super().__init__(checked=False, validators=validators)
        self.root = root_of(self.final)
        self.played: list[Played] = []

    def block(self, *envelopes: bytes, later: int = 1_000) -> list[Receipt]:
        receipts = super().block(*envelopes, later=later)
        body = BatchBody(CHAIN, VALIDATOR.institution, self.height, self.time, envelopes)
        raw = encode(sign_batch(body, VALIDATOR.secret))
        kept = tuple(encode(receipt) for receipt in receipts)
        self.played.append(Played(raw, self.time, envelopes, kept, root_of(self.final)))
        return receipts


def root_of(state: FinalState) -> bytes:
    return merkle.root_of_hashes(state_hashes(state))


@cache
def script(seed: int) -> Script:
    """Cash for three people; transfers applied and refused, liens that expire by themselves, and noise."""
    hall, random = Recorder(), Random(seed)
    hall.cash()
    for name in PEOPLE:
        hall.person(name)
    hall.block(*(hall.signed("BANK", Issue("USD", account(name), 1_000, 0, 0)) for name in PEOPLE))
    for _ in range(BLOCKS):
        hall.block(*_trades(hall, random), later=random.choice((0, 1_000, 60_000)))
    return Script(encode_genesis(hall.genesis), hall.root, tuple(hall.played))


def _trades(hall: Hall, random: Random) -> list[bytes]:
    envelopes = [_trade(hall, random) for _ in range(random.randint(0, 4))]
    if envelopes and random.random() < 0.3:
        envelopes.append(envelopes[0])  # a replay
    if random.random() < 0.3:
        envelopes.append(random.randbytes(20))
    return envelopes


def _trade(hall: Hall, random: Random) -> bytes:
    one, other = random.sample(PEOPLE, 2)
    if random.random() < 0.3:
        expires = hall.time + random.choice((1, 30_000, DAY))
        return hall.signed(one, PlaceHold("USD", account(one), random.randint(1, 200), account(other), "lien", expires))
    return hall.signed(one, send(one, other, random.randint(1, 500), "USD"))


def ordered(played: Played, position: int) -> Ordered:
    """The batch in its place in the log."""
    return Ordered(position, played.time, played.raw)
