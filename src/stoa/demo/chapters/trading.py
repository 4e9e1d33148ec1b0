"""Chapter 4: the secondary market. What is allowed settles; what is refused is explained before anyone signs."""

from collections.abc import Sequence
from typing import Final

from stoa.demo.cast import party_number, stranger
from stoa.demo.chapters.people import VISITOR, claims
from stoa.demo.dossier import Form
from stoa.demo.money import shown
from stoa.demo.parts import (
    BUYER,
    CLOSED_COUNTRY,
    FROZEN,
    FUND,
    LATE,
    NEWCOMER,
    PENSION,
    RETAIL,
    SELLER,
    US_BUYER,
    US_HOLDER,
)
from stoa.demo.stage import act, form
from stoa.demo.story import Story
from stoa.kernel.hashing import tagged
from stoa.kernel.time import from_date

SPRING: Final = from_date(2027, 5, 10)
SUMMER: Final = from_date(2027, 7, 5)
AUTUMN: Final = from_date(2027, 9, 15)
A_YEAR_LATER: Final = from_date(2028, 3, 21)


def tell(story: Story) -> None:
    """Receivers, then limits, then encumbrances, then time: one refusal of each kind, between trades that settle."""
    story.chapter(
        4,
        "The secondary market: allowed, or refused with every reason and its figures",
        "유통시장: 허용되거나, 모든 사유와 수치와 함께 거절됩니다",
    )
    story.stage.until(SPRING)
    _receivers(story)
    _trades(story)
    _limits(story)
    _encumbrances(story)
    _claims(story)
    _holding_period(story)


def send(story: Story, source: str, to: str | bytes, units: int, lots: Sequence[Form] = ()) -> Form:
    """A transfer free of payment, to a name or to an address."""
    target = story.stage.account(to) if isinstance(to, str) else to
    return act("settlement.transfer", asset=story.dossier.terms.code, source=story.stage.account(source),
               to=target, units=units, cost=0, lots=list(lots))  # fmt: skip


def evidence(name: str) -> bytes:
    """The hash of a paper of the story that lies in somebody's files."""
    return tagged("stoa.demo.evidence", name.encode())


def _sale(story: Story, seller: str, buyer: str, units: int, price: int) -> Form:
    """Delivery against payment: both legs or none."""
    terms, cost = story.dossier.terms, units * price
    give, get = story.stage.account(seller), story.stage.account(buyer)
    legs = [
        form(asset=terms.code, source=give, to=get, units=units, cost=cost, lots=[]),
        form(asset=terms.currency, source=get, to=give, units=cost, cost=0, lots=[]),
    ]
    return act("settlement.settle", legs=legs, reference=f"{seller} to {buyer}")


def _receivers(story: Story) -> None:
    story.refused(
        f"{SELLER} sends 150 units to an address that nobody has opened.",
        f"{SELLER}이(가) 개설되지 않은 주소로 150단위를 보냅니다.",
        ["AccountUnknown"],
        (SELLER,),
        send(story, SELLER, stranger("nobody"), 150),
    )
    story.refused(
        f"{SELLER} sends 150 units to a visitor whom nobody has identified.",
        f"{SELLER}이(가) 신원이 확인되지 않은 방문자에게 150단위를 보냅니다.",
        ["NotIdentified"],
        (SELLER,),
        send(story, SELLER, VISITOR, 150),
    )
    story.refused(
        f"{SELLER} sends 150 units to {CLOSED_COUNTRY}, whose country no rule names.",
        f"{SELLER}이(가) 규칙에 없는 국가의 {CLOSED_COUNTRY}에게 150단위를 보냅니다.",
        ["CountryNotOpen"],
        (SELLER,),
        send(story, SELLER, CLOSED_COUNTRY, 150),
    )


def _trades(story: Story) -> None:
    terms = story.dossier.terms
    story.applied(
        f"{SELLER} gives 200 units to {BUYER}, free of payment.",
        f"{SELLER}이(가) {BUYER}에게 200단위를 무상으로 이전합니다.",
        (SELLER,),
        send(story, SELLER, BUYER, 200),
    )
    price = terms.price + 150
    story.applied(
        f"{SELLER} sells 1,000 units to {NEWCOMER} at {shown(price, terms.decimals)}: units and cash in one act.",
        f"{SELLER}이(가) {NEWCOMER}에게 1,000단위를 {shown(price, terms.decimals)}에 매도합니다(동시 결제).",
        (SELLER, NEWCOMER),
        _sale(story, SELLER, NEWCOMER, 1_000, price),
    )


def _limits(story: Story) -> None:
    story.refused(
        f"{SELLER} sends 150 units to {LATE}: he would be the twelfth holder.",
        f"{SELLER}이(가) {LATE}에게 150단위를 보냅니다. 열두 번째 보유자가 됩니다.",
        ["RuleFailed:HBT-HOLDER-CAP"],
        (SELLER,),
        send(story, SELLER, LATE, 150),
    )
    story.refused(
        f"{FUND} sends 10,000 units to {PENSION}, who would hold more than anybody may.",
        f"{FUND}이(가) {PENSION}에게 10,000단위를 보냅니다. 1인 한도를 초과합니다.",
        ["RuleFailed:HBT-MAX-HOLDING"],
        (FUND,),
        send(story, FUND, PENSION, 10_000),
    )
    story.refused(
        f"{SELLER} sells 100 units to {RETAIL}, a Korean retail investor beyond the yearly cap.",
        f"{SELLER}이(가) 연간 한도를 넘은 국내 일반투자자 {RETAIL}에게 100단위를 매도합니다.",
        ["RuleFailed:KR-OTC-8"],
        (SELLER, RETAIL),
        _sale(story, SELLER, RETAIL, 100, story.dossier.terms.price),
    )
    story.refused(
        f"{US_HOLDER} sends 500 units two months after she got them; a United States holder waits a year.",
        f"{US_HOLDER}이(가) 취득 두 달 만에 500단위를 보냅니다. 미국 보유자는 1년을 기다려야 합니다.",
        ["RuleFailed:US-144-HOLD"],
        (US_HOLDER,),
        send(story, US_HOLDER, US_BUYER, 500),
    )


def _encumbrances(story: Story) -> None:
    terms = story.dossier.terms
    story.stage.until(SUMMER)
    story.applied(
        f"{FUND} pledges 12,000 of its units to {terms.bank} for a loan. It stays their owner.",
        f"{FUND}이(가) 대출을 위해 12,000단위를 {terms.bank}에 담보로 제공합니다. 소유자는 그대로입니다.",
        (FUND,),
        act("holds.place", asset=terms.code, account=story.stage.account(FUND), units=12_000,
            owner=story.stage.account(terms.bank), reason="pledge for a loan", expires=0),
    )  # fmt: skip
    story.refused(
        f"{FUND} sends 6,000 units; too few of its units are free.",
        f"{FUND}이(가) 6,000단위를 보냅니다. 처분 가능한 단위가 부족합니다.",
        ["InsufficientFreeUnits"],
        (FUND,),
        send(story, FUND, BUYER, 6_000),
    )
    story.applied(
        f"{terms.supervisor} freezes 600 units of {FROZEN} while it looks into a complaint.",
        f"{terms.supervisor}이(가) 민원 조사를 위해 {FROZEN}의 600단위를 동결합니다.",
        (terms.supervisor,),
        act("holds.freeze_units", asset=terms.code, account=story.stage.account(FROZEN), units=600, free=False,
            reason="complaint under investigation", evidence=evidence("complaint")),
    )  # fmt: skip
    story.refused(
        f"{FROZEN} sends 1,000 units; some of them are frozen.",
        f"{FROZEN}이(가) 1,000단위를 보냅니다. 일부가 동결되어 있습니다.",
        ["UnitsFrozen"],
        (FROZEN,),
        send(story, FROZEN, BUYER, 1_000),
    )


def _claims(story: Story) -> None:
    terms = story.dossier.terms
    story.stage.until(AUTUMN)
    story.refused(
        f"The claim about {LATE} has expired, and he would still be the twelfth holder.",
        f"{LATE}의 확인이 만료되었고, 여전히 열두 번째 보유자가 됩니다.",
        ["ClaimExpired", "RuleFailed:HBT-HOLDER-CAP"],
        (SELLER,),
        send(story, SELLER, LATE, 150),
    )
    story.applied(
        f"{terms.identity} revokes what it said about {US_BUYER}: a document turned out to be forged.",
        f"{terms.identity}이(가) {US_BUYER}에 대한 확인을 철회합니다. 문서가 위조로 밝혀졌습니다.",
        (terms.identity,),
        act("compliance.revoke", party=party_number(US_BUYER), topic="identity", issuer=terms.identity,
            reason="document forged"),
    )  # fmt: skip
    story.refused(
        f"{SELLER} sends 300 units to {US_BUYER}: the claim is revoked.",
        f"{SELLER}이(가) {US_BUYER}에게 300단위를 보냅니다. 확인이 철회되었습니다.",
        ["ClaimRevoked"],
        (SELLER,),
        send(story, SELLER, US_BUYER, 300),
    )
    investor = next(one for one in story.dossier.investors if one.id == US_BUYER)
    again = claims(terms.identity, US_BUYER, investor.country, investor.category, investor.identified_until)
    story.applied(
        "He shows a genuine one and is identified again.",
        f"{US_BUYER}이(가) 진본을 제출하여 다시 확인됩니다.",
        (terms.identity,),
        *again,
    )
    story.applied(
        f"{US_BUYER} buys 300 units of {SELLER}: his second lot.",
        f"{US_BUYER}이(가) {SELLER}에게서 300단위를 매수합니다. 두 번째 취득분입니다.",
        (SELLER, US_BUYER),
        _sale(story, SELLER, US_BUYER, 300, terms.price + 300),
    )


def _holding_period(story: Story) -> None:
    """A year after the offering the old lot may go, and the younger one may not."""
    story.stage.until(A_YEAR_LATER)
    old, young = story.stage.lots(story.dossier.terms.code, US_BUYER)
    story.refused(
        f"A year after the offering {US_BUYER} picks 100 units of his younger lot.",
        f"공모 1년 뒤 {US_BUYER}이(가) 나중 취득분에서 100단위를 고릅니다.",
        ["RuleFailed:US-144-HOLD"],
        (US_BUYER,),
        send(story, US_BUYER, US_HOLDER, 100, lots=[{"lot": young["number"], "units": 100}]),
    )
    story.refused(
        f"He sends {old['units'] + 50:,} units, 50 more than the old lot has.",
        f"먼저 취득한 분량보다 50단위 많은 {old['units'] + 50:,}단위를 보냅니다.",
        ["RuleFailed:US-144-HOLD"],
        (US_BUYER,),
        send(story, US_BUYER, US_HOLDER, old["units"] + 50),
    )
    story.applied(
        "He sends 1,000 units of the old lot, which is free of the holding period.",
        "보유 기간이 지난 먼저 취득한 분량에서 1,000단위를 보냅니다.",
        (US_BUYER,),
        send(story, US_BUYER, US_HOLDER, 1_000),
    )
