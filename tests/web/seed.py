"""A house with a story for the pages to show: three securities, trades, income, an open offering, liens and refusals.

The clock is the story's own: it starts on 2 March 2026, moves with the trades, and then runs by itself.
"""

from __future__ import annotations

import time
from dataclasses import replace as replaced
from math import sin
from pathlib import Path

from litestar import Litestar
from msgspec.structs import replace

from stoa.api.app import create_app
from stoa.custody.secret import Secret
from stoa.demo.clock import StoryClock
from stoa.intake.gate import Accepted
from stoa.kernel.base import Instruction
from stoa.kernel.money import Rate
from stoa.kernel.time import DAY, from_date
from stoa.ledger.assets.create_security import CreateSecurity
from stoa.ledger.assets.model import ClassTerms, Document, Issuer
from stoa.ledger.assets.pause import Pause
from stoa.ledger.assets.register_cash import RegisterCash
from stoa.ledger.catalog import Body, Receipt, checked_body, read_receipt
from stoa.ledger.compliance.attest import Attest
from stoa.ledger.compliance.conditions import ALWAYS, Compare, Condition
from stoa.ledger.compliance.model import Rule, Terms
from stoa.ledger.compliance.name_packs import NamePacks
from stoa.ledger.corporate_actions.announce_distribution import AnnounceDistribution
from stoa.ledger.corporate_actions.model import PRO_RATA, Distribution
from stoa.ledger.governance.model import AdoptPack
from stoa.ledger.governance.propose import Propose
from stoa.ledger.holds.freeze_units import FreezeUnits
from stoa.ledger.holds.place_hold import PlaceHold
from stoa.ledger.identity.open_account import OpenAccount
from stoa.ledger.identity.register_party import RegisterParty
from stoa.ledger.offerings.model import OfferingTerms, Tier
from stoa.ledger.offerings.open_offering import OpenOffering
from stoa.ledger.offerings.subscribe import Subscribe
from stoa.ledger.settlement.issue import Issue
from stoa.ledger.settlement.transfer import Transfer
from stoa.node.finality import Validator
from stoa.node.found import found
from stoa.node.node import Node
from stoa.web.handlers import handlers
from tests.api.house import CHAIN, PASSWORD, House
from tests.ledger.hall import CASH_TERMS, DOCUMENTS, EVIDENCE, INSTITUTIONS, TRUST, Hall, account, public, secret

START = from_date(2026, 3, 2)
PEOPLE = {
    "kim": ("KR", "retail"), "lee": ("KR", "professional"), "smith": ("US", "accredited"), "tan": ("SG", "institution"),
    "park": ("KR", "retail"), "sato": ("JP", "retail"), "payer": ("KR", "institution"), "taxes": ("KR", "institution"),
}  # fmt: skip
AGENT_PARTY = list(INSTITUTIONS).index("AGENT") + 1
MOVES = ("issue", "offering", "transfer", "settlement")
SCRIPT = "<script>alert(1)</script>"


def rule(name: str, en: str, ko: str, require: Condition, when: Condition = ALWAYS, force: str = "issuer") -> Rule:
    source = "Offering document, section 7"
    return Rule(name, "KR", force, START, 0, source, MOVES, when, require, en, ko)  # type: ignore[arg-type]


RULES = (
    rule("MAX-HOLDERS", "At most 49 persons may hold this security.", "보유자는 최대 49명입니다.",
         Compare("holders.after", "<=", 49), force="law"),
    rule("MAX-HOLDING", "Nobody may hold more than 60,000 units.", "한 사람이 60,000단위까지 보유합니다.",
         Compare("receiver.units.after", "<=", 60_000)),
    rule("LOT-SIZE", "A holder keeps at least 10 units.", "보유자는 10단위 이상을 보유해야 합니다.",
         Compare("receiver.units.after", ">=", 10), force="policy"),
    rule("US-HOLDING", "Units move to US residents only after 90 days.", "미국 거주자에게는 90일 후 이전됩니다.",
         Compare("lots.age_days", ">=", 90), Compare("receiver.country", "==", "US"), force="law"),
)  # fmt: skip


class Bazaar(House):
    """A house whose clock can be moved."""

    def __init__(self, folder: Path) -> None:
        self.clock = StoryClock(START)
        founders = tuple(
            replace(one, validator=public("validator") if one.institution == "KSD" else b"")
            for one in Hall().genesis.founders
        )
        found(folder, replace(Hall().genesis, time=START, founders=founders))
        self.folder = folder
        self.open()
        self._populate()
        self.clock.run()

    def open(self) -> None:
        super().open()
        self.projector.close()
        self.node.close()
        self.node = Node(self.folder, Validator("KSD", secret("validator")), clock=self.clock)
        self.projector = type(self.projector)(self.node.journal, self.views)
        self.services = replaced(self.services, node=self.node, projector=self.projector, clock=self.clock)
        self.node.start()
        self.projector.start()

    def pages(self) -> Litestar:
        """The API with the pages."""
        return create_app(self.services, handlers())

    def body(
        self, author: str, *instructions: Instruction, lane: int = 0, sequence: int = 0, life: int = 60_000
    ) -> bytes:
        who = account(author)
        number = sequence or self.node.next_sequence(who, lane)
        return checked_body(Body(CHAIN, who, lane, number, self.clock() + life, instructions))

    def send(self, signers: str | tuple[str, ...], *instructions: Instruction) -> Receipt:
        """A transaction, whatever becomes of it."""
        self.clock.step()
        answer = self.node.submit(self.signed(signers, *instructions))
        assert isinstance(answer, Accepted), answer
        located = self.node.wait(answer.transaction, 10)
        assert located is not None
        assert self.projector.reached(located.height, 10)
        return read_receipt(located.receipt)

    def do(self, signers: str | tuple[str, ...], *instructions: Instruction) -> Receipt:
        receipt = self.send(signers, *instructions)
        assert receipt.applied, receipt.rejection
        return receipt

    def until(self, moment: int, settled: str) -> None:
        """On to a moment, and until the work that falls due then has made this kind of event."""
        height = self.projector.height
        self.clock.until(moment)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            for at in range(height + 1, self.node.journal.final + 1):
                for raw in self.node.journal.block(at).receipts:
                    if any(type(event).__name__ == settled for event in read_receipt(raw).events):
                        assert self.projector.reached(at, 10)
                        return
            time.sleep(0.02)
        raise AssertionError(f"no {settled} fell due")

    def _populate(self) -> None:
        self._people()
        self._securities()
        self._packs()
        self._trades()
        self._income()
        self._liens()
        self._users()

    def _people(self) -> None:
        until = START + 700 * DAY
        for code, decimals in (("USD", 2), ("KRW", 0)):
            self.do("BANK", RegisterCash(code, "BANK", f"{code} deposit", code, decimals, CASH_TERMS))
        self.do("IDP", Attest(AGENT_PARTY, "identity", "IDP", "KR", until))
        for number, (name, (country, category)) in enumerate(PEOPLE.items(), start=1_001):
            opened = OpenAccount(number, "BROKER-A", 1, (public(name),))
            self.do("BROKER-A", RegisterParty(number, False, "BROKER-A"), opened)
            claims = (("identity", country), ("category", category))
            self.do("IDP", *(Attest(number, topic, "IDP", value, until) for topic, value in claims))
            self.do(
                "BANK", Issue("USD", account(name), 50_000_000, 0, 0), Issue("KRW", account(name), 90_000_000, 0, 0)
            )

    def _securities(self) -> None:
        sheet = Document("term_sheet", "Term sheet", EVIDENCE)
        one = (ClassTerms("", "Units", 200_000),)
        two = (ClassTerms("A", "Senior notes", 50_000), ClassTerms("B", "Junior notes", 20_000))
        for code, name, form, currency, price, classes, issuer in (
            ("HBT", "Harbour Tower", "Property share", "USD", 10_000, one, Issuer("Harbour Tower SPC", "US", "")),
            (
                "HRO",
                "Han River Office",
                "Beneficiary certificate",
                "KRW",
                5_000,
                one,
                Issuer("Han River Trust", "KR", ""),
            ),
            ("SOL", f"Jeju Solar {SCRIPT}", "Notes", "KRW", 10_000, two, Issuer("Jeju Solar Inc.", "KR", "")),
        ):
            create = CreateSecurity(
                code, name, form, issuer, "AGENT", "KSD", currency, price, "", (*DOCUMENTS, sheet), classes,
                Terms(TRUST, ("KR", "US", "SG"), RULES),
            )  # fmt: skip
            self.do(("AGENT", "KSD"), create)
        for name, units in (("kim", 20_000), ("lee", 42_000), ("tan", 25_000), ("park", 13_000)):
            self.do(("AGENT", "KSD"), Issue("HBT", account(name), units, units * 10_000, 0))
        self.do(("AGENT", "KSD"), Issue("SOL.A", account("lee"), 1_000, 10_000_000, START + 400 * DAY))
        self.do("KSD", Pause("SOL.A", True, "late annual report"))

    def _packs(self) -> None:
        """A pack of one rule, in its second version, that the junior notes obey."""
        for most in (900, 500):
            limit = rule("KR-RETAIL", f"A person holds up to {most} of these.", f"한 사람이 {most}까지 보유합니다.",
                         Compare("receiver.units.after", "<=", most), force="venue")  # fmt: skip
            change = AdoptPack("KR-OTC", "Rules of the Korean counter", "한국 장외시장 규칙", (limit,))
            head = self.node.journal.final
            self.do("KSD", Propose("KSD", change, head + 2, self.clock() + DAY, "market rules"))
            self.do("IDP", Attest(1_001, "suitability", "IDP", "yes", self.clock() + DAY))  # the block of that height
        self.do(("AGENT", "KSD"), NamePacks("SOL.B", ("KR-OTC",)))

    def _trades(self) -> None:
        for day in range(1, 46):
            self.clock.until(START + day * DAY)
            price = 10_000 + 30 * day + round(220 * sin(day / 4) + 90 * sin(day * 1.7))
            pairs = (("lee", "kim"), ("tan", "park"), ("kim", "tan"), ("park", "lee"))
            source, to = pairs[day % len(pairs)]
            units = 40 + day * 31 % 160
            self.do(source, Transfer("HBT", account(source), account(to), units, units * price, ()))
        self.send("kim", Transfer("HBT", account("kim"), account("sato"), 100, 0, ()))
        self.send("kim", Transfer("HBT", account("kim"), account("smith"), 100, 0, ()))

    def _income(self) -> None:
        now = self.clock()
        for name, days, pool in (("HBT-2026Q1", 1, 21_000_000), ("HBT-2026Q2", 90, 21_500_000)):
            self.do("BANK", Issue("USD", account("payer"), pool, 0, 0))
            terms = Distribution(
                asset="HBT", pays="USD", payer=account("payer"), pool=pool, per_unit=PRO_RATA, record=now + days * DAY,
                payment=now + (days + 1) * DAY, default_rate=Rate(154, 1_000), rates=(), tax_account=account("taxes"),
                residue="return", document=EVIDENCE,
            )  # fmt: skip
            self.do(("AGENT", "payer"), AnnounceDistribution(name, terms))
        self.until(now + 3 * DAY, "DistributionCompleted")
        opens = self.clock()
        tiers = (Tier(opens + 10 * DAY, 4_900), Tier(opens + 30 * DAY, 5_000))
        terms = OfferingTerms(
            units=20_000, soft_cap=5_000, hard_cap=40_000, minimum=10, limit=8_000, tiers=tiers, opens=opens,
            closes=opens + 30 * DAY, locked=0, allotment="pro_rata", revocable=True, closable=True,
            proceeds=account("AGENT"),
        )  # fmt: skip
        self.do(("AGENT", "KSD"), OpenOffering("HRO-1", "HRO", terms))
        self.do("lee", Transfer("HBT", account("lee"), account("kim"), 240, 240 * 11_640, ()))
        for name, units in (("kim", 3_000), ("lee", 6_500)):
            self.do(name, Subscribe("HRO-1", account(name), units, units * 4_900))

    def _liens(self) -> None:
        self.do("kim", PlaceHold("HBT", account("kim"), 2_000, account("lee"), "margin loan", 0))
        self.do(("AGENT", "KSD"), FreezeUnits("HBT", account("kim"), 500, False, "court order 2026-114", EVIDENCE))

    def _users(self) -> None:
        for number, name in enumerate(PEOPLE, start=1_001):
            self._user(name, account(name), number)
        for code in ("KSD", "AGENT", "FSS"):
            self._user(code.lower(), account(code), None)

    def _user(self, name: str, linked: bytes, party: int | None) -> None:
        self.users.add(name, Secret(PASSWORD), self.clock(), roles=("investor",), accounts=(linked,), party=party)
