"""A small hall for tests: a ledger in memory with its institutions, and short words to act on it.

Blocks are real (``machine.execute_block`` on sealed state); signatures are real; only the disk is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from stoa.kernel import signing
from stoa.kernel.base import Event, Instruction, Rejection
from stoa.kernel.identifiers import account_id
from stoa.kernel.time import DAY
from stoa.ledger import machine
from stoa.ledger.assets.create_security import CreateSecurity
from stoa.ledger.assets.model import ClassTerms, Document, Issuer, Lot, LotPick
from stoa.ledger.assets.register import line, lots_of
from stoa.ledger.assets.register_cash import RegisterCash
from stoa.ledger.catalog import Body, Receipt, checked_body, read_rejection
from stoa.ledger.compliance.attest import Attest
from stoa.ledger.compliance.conditions import ALWAYS, Compare
from stoa.ledger.compliance.model import COUNTS, Rule, Terms, Trust
from stoa.ledger.explained import unexplained
from stoa.ledger.genesis import Founder, Genesis, apply_genesis
from stoa.ledger.identity.open_account import OpenAccount
from stoa.ledger.identity.register_party import RegisterParty
from stoa.ledger.invariants import check_all
from stoa.ledger.memory import MemoryFinal
from stoa.ledger.settlement.force_transfer import ForceTransfer
from stoa.ledger.settlement.issue import Issue
from stoa.ledger.settlement.transfer import Transfer
from stoa.ledger.state import State, Writes
from stoa.wire.envelope import sign_body

START = 1_800_000_000_000
CHAIN = "test"
INSTITUTIONS = {
    "KSD": ("registrar",),
    "BROKER-A": ("broker",),
    "BROKER-B": ("broker",),
    "AGENT": ("issuer_agent",),
    "BANK": ("settlement_bank",),
    "VENUE": ("venue_operator",),
    "IDP": ("identity_provider",),
    "FSS": ("supervisor",),
}
TRUST = (Trust("identity", ("IDP",)), Trust("category", ("IDP",)))
DOCUMENTS = (
    Document("offering_document", "Offering document", sha256(b"offering").digest()),
    Document("compliance_statement", "Compliance statement", sha256(b"statement").digest()),
)
EVIDENCE = sha256(b"evidence").digest()
CASH_TERMS = Terms(TRUST, ("*",), ())


def secret(name: str) -> bytes:
    """The test key of this name."""
    return sha256(b"test key " + name.encode()).digest()


def public(name: str) -> bytes:
    return signing.public_key(secret(name))


def account(name: str) -> bytes:
    """The 1-of-1 account of this name, an institution's or a person's."""
    return account_id(1, (public(name),))


def against(event: Any) -> list[Rejection]:
    """The rejections that an event keeps, gravest first."""
    return [read_rejection(raw) for raw in event.reasons]


def rule(
    name: str,
    require: object,
    when: object = ALWAYS,
    phases: tuple[str, ...] = ("issue", "offering", "transfer", "settlement"),
) -> Rule:
    """A rule in force from the beginning."""
    return Rule(name, "KR", "issuer", 0, 0, "test", phases, when, require, f"{name} must hold", f"{name}")  # type: ignore[arg-type]


ANY_HOLDER = rule("OPEN", Compare("receiver.units.after", ">=", 0))


def send(
    source: str, to: str, units: int, asset: str = "HBT", cost: int = 0, lots: tuple[LotPick, ...] = ()
) -> Transfer:
    """A transfer between accounts of these names."""
    return Transfer(asset, account(source), account(to), units, cost, lots)


def force(source: str, to: str, units: int, asset: str = "HBT") -> ForceTransfer:
    """A forced transfer between accounts of these names."""
    return ForceTransfer(asset, account(source), account(to), units, 0, "court order", EVIDENCE)


class Refused(AssertionError):
    """A transaction that a test expected to be applied was refused."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(f"{rejection.name}: {rejection.sentence()}")
        self.rejection = rejection


class Hall:
    """A ledger with one block for every call."""

    def __init__(self, checked: bool = True, validators: Sequence[str] = ("KSD",)) -> None:
        """``checked``: every invariant over the whole state, and every event against every row, after every block.
        ``validators`` vote on blocks with the key ``<name> votes``."""
        self.checked = checked
        self.final = MemoryFinal()
        self.view = State(self.final)
        self.height, self.time = 0, START
        founders = tuple(
            Founder(code, code.title(), "KR", roles, number, 1, (public(code),), self._voting(code, validators))
            for number, (code, roles) in enumerate(INSTITUTIONS.items(), start=1)
        )
        self.genesis = Genesis(CHAIN, START, founders, ())
        apply_genesis(self.view, self.genesis)
        self.writes: list[Writes] = []
        self.receipts: list[Receipt] = []
        self._seal(())
        self.sequences: dict[bytes, int] = {}
        self.parties: dict[str, int] = {}

    @staticmethod
    def _voting(code: str, validators: Sequence[str]) -> bytes:
        return public(f"{code} votes") if code in validators else b""

    def _seal(self, receipts: Sequence[Receipt]) -> None:
        writes = self.view.seal()
        self.writes.append(writes)
        self.final.write(writes)
        self.view.finalised()
        if self.checked and self.height:
            assert check_all(self.view) == []
            assert unexplained(writes, [event for receipt in receipts for event in receipt.events]) == []

    def body(self, author: str, *instructions: Instruction) -> bytes:
        """A body in the author's lane 0 with the next sequence."""
        who = account(author)
        sequence = self.sequences.get(who, 0) + 1
        self.sequences[who] = sequence
        return checked_body(Body(CHAIN, who, 0, sequence, self.time + DAY // 2, instructions))

    def signed(self, signers: str | tuple[str, ...], *instructions: Instruction) -> bytes:
        """An envelope signed by these names; the first is the author."""
        names = (signers,) if isinstance(signers, str) else signers
        return sign_body(self.body(names[0], *instructions), [(account(name), secret(name)) for name in names])

    def block(self, *envelopes: bytes, later: int = 1_000) -> list[Receipt]:
        """One block, ``later`` milliseconds after the one before."""
        self.height, self.time = self.height + 1, self.time + later
        receipts = machine.execute_block(self.view, machine.Place(CHAIN, self.height, self.time), envelopes)
        # due work stands last in the block but is done first
        done = [*receipts[len(envelopes) :], *receipts[: len(envelopes)]]
        self._seal(done)
        self.receipts += receipts
        return receipts

    def act(self, signers: str | tuple[str, ...], *instructions: Instruction) -> Receipt:
        """One transaction in a block of its own."""
        return self.block(self.signed(signers, *instructions))[0]

    def do(self, signers: str | tuple[str, ...], *instructions: Instruction) -> tuple[Event, ...]:
        """The same, expected to be applied. Returns its events."""
        receipt = self.act(signers, *instructions)
        if receipt.rejection is not None:
            raise Refused(receipt.rejection)
        return receipt.events

    def refused(self, signers: str | tuple[str, ...], *instructions: Instruction) -> Rejection:
        """The same, expected to be refused. Returns the gravest reason."""
        receipt = self.act(signers, *instructions)
        assert receipt.rejection is not None, "applied, but a refusal was expected"
        return receipt.rejection

    def explain(self, signers: str | tuple[str, ...], *instructions: Instruction) -> list[Rejection]:
        """Every reason against a transaction, gravest first."""
        names = (signers,) if isinstance(signers, str) else signers
        body = Body(CHAIN, account(names[0]), 0, 1, self.time + DAY // 2, instructions)
        place = machine.Place(CHAIN, self.height + 1, self.time)
        explained = machine.explain(self.view, place, body, [account(name) for name in names])
        return [reason for _, reason in explained.reasons]

    def wait(self, milliseconds: int) -> list[Receipt]:
        """An empty block after some time: what is due is done."""
        return self.block(later=milliseconds)

    def person(self, name: str, country: str = "KR", category: str = "retail", broker: str = "BROKER-A") -> int:
        """A party with one account of the same name, identified for ten years. Returns its number."""
        party = 1_000 + len(self.parties)
        self.parties[name] = party
        self.do(broker, RegisterParty(party, False, broker), OpenAccount(party, broker, 1, (public(name),)))
        if country:
            until = self.time + 3_650 * DAY
            self.do(
                "IDP",
                Attest(party, "identity", "IDP", country, until),
                Attest(party, "category", "IDP", category, until),
            )
        return party

    def second_account(self, name: str, owner: str, broker: str = "BROKER-A") -> bytes:
        """Another account, of this name, for the owner's party."""
        self.do(broker, OpenAccount(self.parties[owner], broker, 1, (public(name),)))
        return account(name)

    def cash(self, asset: str = "USD", decimals: int = 2) -> None:
        self.do("BANK", RegisterCash(asset, "BANK", f"{asset} deposit", asset[:3], decimals, CASH_TERMS))

    def security(
        self,
        code: str = "HBT",
        rules: tuple[Rule, ...] = (ANY_HOLDER,),
        countries: tuple[str, ...] = ("KR", "US", "SG", "JP", "DE"),
        classes: tuple[ClassTerms, ...] = (ClassTerms("", "Units", 10**12),),
        currency: str = "USD",
        price: int = 10_000,
    ) -> None:
        """A security of AGENT and KSD."""
        issuer = Issuer("Harbour Tower SPC", "US", "")
        terms = Terms(TRUST, countries, rules)
        self.do(
            ("AGENT", "KSD"),
            CreateSecurity(
                code,
                f"Security {code}",
                "property share",
                issuer,
                "AGENT",
                "KSD",
                currency,
                price,
                "",
                DOCUMENTS,
                classes,
                terms,
            ),
        )

    def issue(self, asset: str, name: str, units: int, cost: int = 0, locked: int = 0) -> None:
        """Units for the account of this name: from AGENT and KSD, or cash from BANK."""
        signers: tuple[str, ...] = ("BANK",) if asset in ("USD", "KRW") else ("AGENT", "KSD")
        self.do(signers, Issue(asset, account(name), units, cost, locked))

    def units(self, asset: str, name: str) -> int:
        return line(self.view, asset, account(name)).units

    def lots(self, name: str, asset: str = "HBT") -> list[Lot]:
        """The lots behind a line, oldest first."""
        return [lot for _, lot in lots_of(self.view, asset, account(name))]

    def count(self, scope: str = "HBT", by: str = "total", value: str = "") -> int:
        """Persons counted as holders."""
        return self.view.get(COUNTS, (scope, by, value)) or 0

    def reasons(self, signers: str | tuple[str, ...], *instructions: Instruction) -> list[str]:
        """The names of every reason, gravest first."""
        return [reason.name for reason in self.explain(signers, *instructions)]
