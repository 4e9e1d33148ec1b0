"""Chapter 3: the offering. Cash is held, the book is cut pro rata, and a second tranche misses its minimum."""

from typing import Any

from sqlalchemy import select

from stoa.demo.chapters.people import ISSUER
from stoa.demo.dossier import OfferingPlan, Subscription
from stoa.demo.money import shown
from stoa.demo.parts import BUYER
from stoa.demo.stage import act, form
from stoa.demo.story import Story
from stoa.kernel.money import largest_remainder
from stoa.kernel.time import SECOND, iso
from stoa.readmodel.schema import HOLDINGS, OFFERINGS, SUBSCRIPTIONS

OPENING_HOUR = 9 * 3_600 * SECOND


def tell(story: Story) -> None:
    """Deposits, the first tranche, the second one, and what the issuer keeps."""
    first, *others = story.dossier.offerings
    story.chapter(
        3,
        f"The offering: {first.terms['units']:,} units, held cash, an allotment that sums exactly",
        f"공모: {first.terms['units']:,}단위, 보류된 증거금, 정확히 합산되는 배정",
    )
    _deposits(story)
    _open_and_subscribe(story, first)
    _allotted(story, first)
    for plan in others:
        _missed(story, plan)
    _retained(story)


def _deposits(story: Story) -> None:
    terms, investors = story.dossier.terms, story.dossier.investors
    total = shown(sum(one.deposit for one in investors), terms.decimals)
    story.applied_each(
        f"{terms.bank} puts the investors' deposits on the ledger: {terms.currency} {total} in all.",
        f"{terms.bank}이(가) 투자자의 예금 총 {terms.currency} {total}을(를) 원장에 올립니다.",
        [
            (
                (terms.bank,),
                (act("settlement.issue", asset=terms.currency, to=story.stage.account(one.id), units=one.deposit,
                     cost=0, locked=0),),
            )
            for one in investors
        ],
    )  # fmt: skip


def _open_and_subscribe(story: Story, plan: OfferingPlan) -> None:
    terms = story.dossier.terms
    offered = plan.terms | form(proceeds=story.stage.account(ISSUER))
    story.applied(
        f"{terms.agent} and {terms.registrar} open {plan.code}.",
        f"{terms.agent}과(와) {terms.registrar}이(가) {plan.code} 공모를 엽니다.",
        (terms.agent, terms.registrar),
        act("offerings.open", offering=plan.code, asset=terms.code, terms=offered),
    )
    for one in story.dossier.subscriptions:
        if one.offering == plan.code:
            _subscribe(story, plan, one)


def _subscribe(story: Story, plan: OfferingPlan, one: Subscription) -> None:
    terms = story.dossier.terms
    story.stage.until(one.day + OPENING_HOUR)
    price = plan.price_on(story.stage.clock())
    cost = one.units * price
    subscribe = act("offerings.subscribe", offering=plan.code, account=story.stage.account(one.investor),
               units=one.units, cost=cost)  # fmt: skip
    en = f"{one.investor} subscribes {one.units:,} units at {shown(price, terms.decimals)}."
    ko = f"{one.investor}이(가) {one.units:,}단위를 단가 {shown(price, terms.decimals)}에 청약합니다."
    if one.expect:
        story.refused(en, ko, one.expect, (one.investor,), subscribe)
    else:
        story.applied(en, ko, (one.investor,), subscribe)


def _accepted(story: Story, plan: OfferingPlan) -> list[Subscription]:
    return [one for one in story.dossier.subscriptions if one.offering == plan.code and not one.expect]


def _book(story: Story, plan: OfferingPlan) -> list[dict[str, Any]]:
    chosen = select(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.offering == plan.code).order_by(SUBSCRIPTIONS.c.number)
    return story.stage.rows(chosen)


def _allotted(story: Story, plan: OfferingPlan) -> None:
    """The deadline passes; the ledger allots and settles by itself, and is compared with the method on paper."""
    terms, accepted = story.dossier.terms, _accepted(story, plan)
    asked, offered = [one.units for one in accepted], int(plan.terms["units"])
    story.stage.until(int(plan.terms["closes"]))
    book = _book(story, plan)
    story.fact(
        f"{iso(plan.terms['closes'])[:10]}: {sum(asked):,} units were asked for, {offered:,} are allotted by largest "
        "remainder.",
        f"{iso(plan.terms['closes'])[:10]}: {sum(asked):,}단위 청약, {offered:,}단위를 최대잔여법으로 배정합니다.",
        dict(zip([one.investor for one in accepted], largest_remainder(offered, asked), strict=True)),
        {story.stage.cast.name_of(row["account"]): row["allotted"] for row in book},
    )
    prices = [row["price"] for row in book]
    paid = sum(share * price for share, price in zip(largest_remainder(offered, asked), prices, strict=True))
    story.fact(
        "Units against cash, atomically: the issuer has exactly what was paid, nobody's cash is held any more.",
        "증권과 대금이 동시에 결제됩니다. 발행인은 지급된 금액을 정확히 갖고, 남은 증거금은 없습니다.",
        f"paid {paid}, held 0",
        f"paid {story.stage.units(terms.currency, ISSUER)}, held {_held(story)}",
    )
    story.report.offerings[plan.code] = _summary(story, plan)


def _held(story: Story) -> int:
    chosen = select(HOLDINGS.c.held).where(HOLDINGS.c.asset == story.dossier.terms.currency)
    return sum(int(row["held"]) for row in story.stage.rows(chosen))


def _summary(story: Story, plan: OfferingPlan) -> dict[str, Any]:
    row = story.stage.rows(select(OFFERINGS).where(OFFERINGS.c.code == plan.code))[0]
    book = [
        {"investor": story.stage.cast.name_of(one["account"])}
        | {field: one[field] for field in ("units", "price", "state", "allotted", "paid")}
        for one in _book(story, plan)
    ]
    return {field: row[field] for field in ("stage", "sold", "paid")} | {"subscriptions": book}


def _missed(story: Story, plan: OfferingPlan) -> None:
    """A tranche that too few want: everybody has every cent back."""
    terms, accepted = story.dossier.terms, _accepted(story, plan)
    names = [one.investor for one in accepted]
    before = {name: story.stage.holding(terms.currency, name) for name in names}
    _open_and_subscribe(story, plan)
    story.stage.until(int(plan.terms["closes"]))
    asked, needed = sum(one.units for one in accepted), plan.terms["soft_cap"]
    story.fact(
        f"{plan.code}: {asked:,} units are fewer than the {needed:,} that it needed; all are refunded to the cent.",
        f"{plan.code}: {asked:,}단위로 최소 모집 {needed:,}단위에 미달하여 전액 환불됩니다.",
        before,
        {name: story.stage.holding(terms.currency, name) for name in names},
    )
    story.report.offerings[plan.code] = _summary(story, plan)


def _retained(story: Story) -> None:
    terms, kept = story.dossier.terms, story.dossier.retained
    story.stage.until(kept.on + OPENING_HOUR)
    story.applied(
        f"The issuer keeps the {kept.units:,} units that nobody took, locked up until {iso(kept.locked_until)[:10]}.",
        f"남은 {kept.units:,}단위는 발행인이 보유하며 {iso(kept.locked_until)[:10]}까지 보호예수됩니다.",
        (terms.agent, terms.registrar),
        act("settlement.issue", asset=terms.code, to=story.stage.account(ISSUER), units=kept.units,
            cost=0, locked=kept.locked_until),
    )  # fmt: skip
    proceeds = story.stage.units(terms.currency, ISSUER)
    story.applied(
        f"The issuer pays the seller of the building {terms.currency} {shown(proceeds, terms.decimals)} through its "
        "bank.",
        f"발행인이 은행을 통해 건물 매도인에게 {terms.currency} {shown(proceeds, terms.decimals)}을(를) 지급합니다.",
        (ISSUER, terms.bank),
        act("settlement.redeem", asset=terms.currency, source=story.stage.account(ISSUER), units=proceeds,
            cost=0, lots=[]),
    )  # fmt: skip
    story.refused(
        "The issuer tries to sell locked units.",
        "발행인이 보호예수 중인 단위를 매도하려 합니다.",
        ["UnitsLocked"],
        (ISSUER,),
        act("settlement.transfer", asset=terms.code, source=story.stage.account(ISSUER),
            to=story.stage.account(BUYER), units=100, cost=0, lots=[]),
    )  # fmt: skip
