"""Chapter 5: a quarter's rent, by record date, exact to the cent, paid without an operator."""

from typing import Any, Final

from sqlalchemy import select

from stoa.demo.chapters.people import ISSUER, TAX_OFFICE
from stoa.demo.dossier import Form
from stoa.demo.money import shown
from stoa.demo.parts import BUYER, FUND, SELLER
from stoa.demo.stage import act, form
from stoa.demo.story import Story
from stoa.kernel.hashing import tagged
from stoa.kernel.time import iso
from stoa.readmodel.schema import BLOCKS, DISTRIBUTIONS, HOLDINGS, INCOME

PRO_RATA: Final[Form] = {"over": 0, "under": 1}  # no rate of its own: the whole pool is shared out by units


def tell(story: Story) -> None:
    """Rent in, costs out, the pool announced, recorded, paid and added up."""
    income, terms = story.dossier.income, story.dossier.terms
    story.chapter(
        5,
        f"Income of {income.period}: the rent roll becomes {terms.currency} {shown(income.net_rent, terms.decimals)}",
        f"{income.period} 수익: 임대차 현황에서 {terms.currency} {shown(income.net_rent, terms.decimals)}",
    )
    story.stage.until(income.announced)
    _net_rent(story)
    _announce(story)
    _record(story)
    _pay(story)


def _net_rent(story: Story) -> None:
    terms, income = story.dossier.terms, story.dossier.income
    issuer, costs = story.stage.account(ISSUER), income.rent_received - income.net_rent
    rent = f"{terms.currency} {shown(income.rent_received, terms.decimals)}"
    story.applied(
        f"The tenants' rent of {rent} arrives at {terms.bank}.",
        f"임차인의 임대료 {rent}이(가) {terms.bank}에 들어옵니다.",
        (terms.bank,),
        act("settlement.issue", asset=terms.currency, to=issuer, units=income.rent_received, cost=0, locked=0),
    )
    story.applied(
        f"The issuer pays {len(income.costs)} kinds of cost, {terms.currency} {shown(costs, terms.decimals)} in all.",
        f"발행인이 비용 {len(income.costs)}종 총 {terms.currency} {shown(costs, terms.decimals)}을(를) 지급합니다.",
        (ISSUER, terms.bank),
        act("settlement.redeem", asset=terms.currency, source=issuer, units=costs, cost=0, lots=[]),
    )
    story.fact(
        "What is left is the net rent of the files.",
        "남은 금액은 파일에서 계산한 순임대료와 같습니다.",
        income.net_rent,
        story.stage.units(terms.currency, ISSUER),
    )


def _terms(story: Story, per_unit: Form) -> Form:
    terms, income = story.dossier.terms, story.dossier.income
    return form(
        asset=terms.code, pays=terms.currency, payer=story.stage.account(ISSUER), pool=income.net_rent,
        per_unit=per_unit, record=income.record, payment=income.payment, default_rate=income.default_rate,
        rates=list(income.rates), tax_account=story.stage.account(TAX_OFFICE), residue="return",
        document=tagged("stoa.demo.resolution", income.resolution.encode()),
    )  # fmt: skip


def _announce(story: Story) -> None:
    terms, income = story.dossier.terms, story.dossier.income
    signers = (terms.agent, ISSUER)
    too_much = {"over": income.net_rent // terms.units + 1, "under": 1}
    story.refused(
        f"A rate of {too_much['over']} cents a unit would need more than the pool has.",
        f"단위당 {too_much['over']}센트는 재원보다 많은 금액이 필요합니다.",
        ["Underfunded"],
        signers,
        act("corporate_actions.announce", distribution=income.code, terms=_terms(story, too_much)),
    )
    story.applied(
        f"{terms.agent} announces {income.code}: record {iso(income.record)[:10]}, payment {iso(income.payment)[:10]}; "
        "the pool is put aside.",
        f"{terms.agent}이(가) {income.code}을(를) 공고합니다. 기준 {iso(income.record)[:10]}, "
        f"지급 {iso(income.payment)[:10]}. 재원이 보류됩니다.",
        signers,
        act("corporate_actions.announce", distribution=income.code, terms=_terms(story, PRO_RATA)),
    )


def _register(story: Story) -> dict[str, int]:
    """Units by name, as the register stands."""
    chosen = select(HOLDINGS).where(HOLDINGS.c.asset == story.dossier.terms.code, HOLDINGS.c.units > 0)
    return {story.stage.cast.name_of(row["account"]): row["units"] for row in story.stage.rows(chosen)}


def _distribution(story: Story) -> dict[str, Any]:
    chosen = select(DISTRIBUTIONS).where(DISTRIBUTIONS.c.code == story.dossier.income.code)
    return story.stage.rows(chosen)[0]


def _record(story: Story) -> None:
    income, terms = story.dossier.income, story.dossier.terms
    story.stage.until(income.record)
    story.fact(
        "The record date comes and the register is recorded, held and frozen units included.",
        "기준일에 명부가 확정됩니다. 담보와 동결 단위도 포함됩니다.",
        f"recorded, {terms.units} units",
        f"{_distribution(story)['status']}, {_distribution(story)['units']} units",
    )
    story.report.distribution["register"] = _register(story)
    story.applied(
        f"{BUYER} sends 500 units away after the record; the income of the quarter stays hers.",
        f"{BUYER}이(가) 기준일 후 500단위를 이전합니다. 이번 분기 수익은 여전히 그의 것입니다.",
        (BUYER,),
        act("settlement.transfer", asset=terms.code, source=story.stage.account(BUYER),
            to=story.stage.account(SELLER), units=500, cost=0, lots=[]),
    )  # fmt: skip


def _pay(story: Story) -> None:
    income, terms = story.dossier.income, story.dossier.terms
    story.stage.until(income.payment)
    rows = story.stage.rows(select(INCOME).where(INCOME.c.distribution == income.code))
    paid = {story.stage.cast.name_of(row["account"]): row for row in rows}
    register = story.report.distribution["register"]
    lines = {name: _due(story, name, units) for name, units in sorted(register.items())}
    fields = ("units", "gross", "tax", "net")
    story.fact(
        "On the payment date every holder gets what the files give on paper: gross, tax by residence, net.",
        "지급일에 모든 보유자가 서류상 계산과 같은 총액, 거주지별 세금, 순액을 받습니다.",
        lines,
        {name: {field: paid[name][field] for field in fields} for name in sorted(paid)},
    )
    done = _distribution(story)
    totals = {field: done[field] for field in ("pool", "net", "tax", "unclaimed", "residue")}
    story.fact(
        "Net, tax and residue sum to the pool exactly; the tax is with the tax office.",
        "순액, 세금, 잔여의 합이 재원과 정확히 일치하고, 세금은 세무서 계좌에 있습니다.",
        f"{income.net_rent}, tax office {totals['tax']}",
        f"{totals['net'] + totals['tax'] + totals['unclaimed'] + totals['residue']}, "
        f"tax office {story.stage.units(terms.currency, TAX_OFFICE)}",
    )
    pledged = story.stage.holding(terms.code, FUND)
    story.fact(
        f"{FUND} has {pledged['held']:,} units pledged and got income on all {pledged['units']:,}.",
        f"{FUND}은(는) {pledged['held']:,}단위가 담보이지만 {pledged['units']:,}단위 전부의 수익을 받았습니다.",
        pledged["units"],
        paid[FUND]["units"],
    )
    block = story.stage.rows(select(BLOCKS).order_by(BLOCKS.c.height.desc()).limit(1))[0]
    story.fact(
        "Nobody operated it: the block that paid holds no transaction.",
        "아무도 조작하지 않았습니다. 지급한 블록에는 거래가 없습니다.",
        "0 transactions",
        f"{block['count']} transactions",
    )
    story.report.distribution |= {"code": income.code, "status": done["status"], "holders": lines} | totals


def _due(story: Story, name: str, units: int) -> dict[str, int]:
    """A holder's income on paper."""
    terms, income = story.dossier.terms, story.dossier.income
    person = {one.id: (one.country, one.category) for one in story.dossier.investors}
    country, category = person.get(name, (terms.issuer["country"], "institutional"))
    rates = {(row["country"], row["category"]): row["rate"] for row in income.rates}
    default = {"over": income.default_rate.over, "under": income.default_rate.under}
    rate = rates.get((country, category)) or rates.get((country, "")) or default
    gross = income.net_rent * units // terms.units
    net = gross * (rate["under"] - rate["over"]) // rate["under"]
    return {"units": units, "gross": gross, "tax": gross - net, "net": net}
