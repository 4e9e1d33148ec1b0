"""The benchmark's market: one security with country, claim, balance, cap and freeze checks, holders, transfers.

Everything comes from a seed. Keys are derived from it: they guard nothing.
"""

from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from itertools import cycle
from random import Random
from typing import Final, NamedTuple

from stoa.kernel import signing
from stoa.kernel.base import Instruction
from stoa.kernel.codec import encode
from stoa.kernel.identifiers import account_id
from stoa.kernel.time import DAY
from stoa.ledger.assets.create_security import CreateSecurity
from stoa.ledger.assets.model import ClassTerms, Document, Issuer
from stoa.ledger.assets.register_cash import RegisterCash
from stoa.ledger.catalog import Body, checked_body
from stoa.ledger.compliance.attest import Attest
from stoa.ledger.compliance.conditions import ALWAYS, Compare
from stoa.ledger.compliance.model import Rule, Terms, Trust
from stoa.ledger.genesis import Founder, Genesis, Parameter
from stoa.ledger.governance.model import CHECKPOINT_BLOCKS
from stoa.ledger.holds.freeze_units import FreezeUnits
from stoa.ledger.identity.model import Role
from stoa.ledger.identity.open_account import OpenAccount
from stoa.ledger.identity.register_party import RegisterParty
from stoa.ledger.settlement.issue import Issue
from stoa.ledger.settlement.transfer import Transfer
from stoa.wire.envelope import Envelope, Signature, transaction_id

CHAIN: Final = "bench"
ASSET: Final = "BENCH"
VALIDATOR: Final = "REGISTRAR"
UNITS_EACH: Final = 1_000_000
MOST_MOVED: Final = 20  # units of one transfer
SET_UP_INSTRUCTIONS: Final = 48  # of one transaction
_ROLES: Final[dict[str, tuple[Role, ...]]] = {
    VALIDATOR: ("registrar",),
    "BROKER": ("broker",),
    "AGENT": ("issuer_agent",),
    "BANK": ("settlement_bank",),
    "IDP": ("identity_provider",),
}
_FROZEN: Final = 1  # holder 1's units are all frozen, holder 0 is not verified: both are there to be refused


class Key(NamedTuple):
    """A public key with its 1-of-1 account, and who signs digests with it."""

    public: bytes
    account: bytes
    sign: Callable[[bytes], bytes]


def key(name: str) -> Key:
    """The key derived from a name."""
    secret = secret_of(name)
    public = signing.public_key(secret)
    return Key(public, account_id(1, (public,)), partial(signing.sign, secret))


def secret_of(name: str) -> bytes:
    """The secret derived from a name."""
    return sha256(b"stoa bench " + name.encode()).digest()


def genesis(time: int) -> Genesis:
    """Five institutions, the registrar validating, and no checkpoints beside what is measured."""
    founders = tuple(
        Founder(name, name.title(), "KR", roles, number, 1, (key(name).public,), _voting(name))
        for number, (name, roles) in enumerate(_ROLES.items(), start=1)
    )
    return Genesis(CHAIN, time, founders, (Parameter(CHECKPOINT_BLOCKS, 0),))


def _voting(name: str) -> bytes:
    return key("vote").public if name == VALIDATOR else b""


class Market:
    """Holders with their keys, and the transactions that set them up and let them trade."""

    def __init__(
        self, holders: int, time: int, seed: int, chain: str = CHAIN, institution: Callable[[str], Key] = key
    ) -> None:
        """``institution`` gives the key of an institution's operating account by its code."""
        self._chain, self._institution = chain, institution
        self.keys = [key(f"holder {number}") for number in range(holders)]
        self._random, self._time = Random(seed), time
        self._sequences: dict[bytes, int] = {}
        self._lane = 0

    def change_lane(self) -> None:
        """Number from 1 again, in the next lane: what was lost in the one before keeps nothing waiting in this one."""
        self._sequences.clear()
        self._lane += 1

    def signed(self, signers: tuple[Key, ...], *instructions: Instruction) -> bytes:
        """An envelope of these instructions with these signatures, in a lane of the first signer."""
        author = signers[0].account
        self._sequences[author] = self._sequences.get(author, 0) + 1
        body = Body(self._chain, author, self._lane, self._sequences[author], self._time + DAY // 2, instructions)
        raw = checked_body(body)
        digest = transaction_id(raw)
        return encode(Envelope(raw, tuple(Signature(one.account, one.public, one.sign(digest)) for one in signers)))

    def set_up(self) -> Iterator[bytes]:
        """Envelopes that make the market: cash, the security with its rules, holders, claims, units."""
        of = self._institution
        trust = (Trust("identity", ("IDP",)),)
        yield self.signed((of("BANK"),), RegisterCash("USD", "BANK", "Dollar", "USD", 2, Terms(trust, ("*",), ())))
        controllers = (of("AGENT"), of(VALIDATOR))
        yield self.signed(controllers, _security(Terms(trust, ("KR", "US"), _rules(len(self.keys)))))
        for at in range(0, len(self.keys), SET_UP_INSTRUCTIONS // 2):
            some = list(enumerate(self.keys))[at : at + SET_UP_INSTRUCTIONS // 2]
            openings = [
                instruction
                for number, one in some
                for instruction in (
                    RegisterParty(1_000 + number, False, "BROKER"),
                    OpenAccount(1_000 + number, "BROKER", 1, (one.public,)),
                )
            ]
            yield self.signed((of("BROKER"),), *openings)
            verified = [number for number, _ in some if number]
            until = self._time + 365 * DAY
            yield self.signed(
                (of("IDP"),), *(Attest(1_000 + number, "identity", "IDP", "KR", until) for number in verified)
            )
            yield self.signed(
                controllers, *(Issue(ASSET, self.keys[number].account, UNITS_EACH, 0, 0) for number in verified)
            )
        frozen = self.keys[_FROZEN].account
        yield self.signed(controllers, FreezeUnits(ASSET, frozen, UNITS_EACH, False, "bench", bytes(32)))

    def hot_transfers(self, count: int) -> list[bytes]:
        """Signed transfers that all pay into, or out of, one account."""
        hot, others = self.keys[_FROZEN + 1], self.keys[_FROZEN + 2 :]
        pairs = [(hot, other) if number % 2 else (other, hot) for number, other in zip(range(count), cycle(others))]
        return [
            self.signed((sender,), Transfer(ASSET, sender.account, receiver.account, 1, 0, ()))
            for sender, receiver in pairs
        ]

    def lone_transfers(self, count: int) -> list[bytes]:
        """Signed transfers between random holders, each alone in its lane: if it is turned away, none waits for it."""
        found, lanes = list[bytes](), dict[bytes, int]()
        first = self._lane
        for _ in range(count):
            sender, receiver = self._random.sample(self.keys[_FROZEN + 1 :], 2)
            lanes[sender.account] = self._lane = lanes.get(sender.account, first) + 1
            self._sequences.clear()
            found.append(self.signed((sender,), Transfer(ASSET, sender.account, receiver.account, 1, 0, ())))
        self._lane = max(lanes.values(), default=first)
        return found

    def transfers(self, count: int, refused_per_mille: int) -> list[bytes]:
        """Signed transfers between random holders; so many of a thousand are built to be refused, in turn for too few
        units, an unverified receiver, and frozen units."""
        return [self._transfer(number, refused_per_mille) for number in range(count)]

    def _transfer(self, number: int, refused_per_mille: int) -> bytes:
        draw = self._random
        sender, receiver = draw.sample(self.keys[_FROZEN + 1 :], 2)
        units = draw.randint(1, MOST_MOVED)
        if draw.randrange(1_000) < refused_per_mille:
            kind = number % 3
            if kind == 0:
                units = UNITS_EACH * len(self.keys)
            elif kind == 1:
                receiver = self.keys[0]
            else:
                sender = self.keys[_FROZEN]
        return self.signed((sender,), Transfer(ASSET, sender.account, receiver.account, units, 0, ()))


def _security(terms: Terms) -> CreateSecurity:
    documents = (
        Document("offering_document", "Offering document", bytes(32)),
        Document("compliance_statement", "Compliance statement", bytes(32)),
    )
    return CreateSecurity(
        ASSET, "Benchmark", "property share", Issuer("Benchmark SPC", "US", ""), "AGENT", VALIDATOR, "USD", 100, "",
        documents, (ClassTerms("", "Units", 2**60),), terms,
    )  # fmt: skip


def _rules(holders: int) -> tuple[Rule, ...]:
    """A cap on holders and a most that one person may hold."""
    cap = Compare("holders.after", "<=", holders + 10)
    enters = Compare("receiver.enters", "==", 1)
    most = Compare("receiver.units.after", "<=", UNITS_EACH * 1_000)
    return (
        Rule("CAP", "KR", "issuer", 0, 0, "benchmark", ("issue", "transfer"), enters, cap, "", ""),
        Rule("MOST", "KR", "issuer", 0, 0, "benchmark", ("issue", "transfer"), ALWAYS, most, "", ""),
    )
