"""Chapter 6: control. A partial freeze, a forced transfer, and a lost key; each with its reason and evidence."""

from sqlalchemy import select

from stoa.demo.cast import party_number
from stoa.demo.chapters.trading import evidence, send
from stoa.demo.parts import BUYER, FROZEN, NEWCOMER, PENSION, RETAIL
from stoa.demo.stage import act
from stoa.demo.story import Story
from stoa.kernel.time import from_date
from stoa.readmodel.schema import HOLDS

MAY = from_date(2028, 5, 8)
NEW_ACCOUNT = f"{RETAIL}.new"


def tell(story: Story) -> None:
    """Force takes free units first, then the oldest encumbrance; a recovery makes nothing freer."""
    story.chapter(6, "Control: freeze, force and recovery", "통제: 동결, 강제 이전, 복구")
    story.stage.until(MAY)
    _force(story)
    _recover(story)
    _thaw(story)


def _force(story: Story) -> None:
    terms, account = story.dossier.terms, story.stage.account(NEWCOMER)
    held = story.stage.holding(terms.code, NEWCOMER)
    story.applied(
        f"{terms.registrar} freezes 900 of {NEWCOMER}'s {held['units']:,} units by order of a court.",
        f"{terms.registrar}이(가) 법원 명령으로 {NEWCOMER}의 {held['units']:,}단위 중 900단위를 동결합니다.",
        (terms.registrar,),
        act("holds.freeze_units", asset=terms.code, account=account, units=900, free=False,
            reason="attachment order 2028-117", evidence=evidence("attachment")),
    )  # fmt: skip
    force = act("settlement.force_transfer", asset=terms.code, source=account, to=story.stage.account(PENSION),
                units=950, cost=0, reason="judgment 2028-204", evidence=evidence("judgment"))  # fmt: skip
    story.refused(
        f"{terms.registrar} alone cannot force a transfer.",
        f"{terms.registrar} 단독으로는 강제 이전을 할 수 없습니다.",
        ["NotAuthorised"],
        (terms.registrar,),
        force,
    )
    story.applied(
        f"With {terms.agent} it transfers 950 units by judgment: 850 are unfrozen by the act.",
        f"{terms.agent}과(와) 함께 판결에 따라 950단위를 이전합니다. 850단위의 동결이 해제됩니다.",
        (terms.registrar, terms.agent),
        force,
    )
    story.fact(
        "50 units stay, and they stay frozen.",
        "50단위가 남고, 동결된 채로 남습니다.",
        {"units": 50, "held": 0, "frozen": 50, "free": 0},
        story.stage.holding(terms.code, NEWCOMER),
    )


def _recover(story: Story) -> None:
    terms = story.dossier.terms
    broker = next(one.broker for one in story.dossier.investors if one.id == RETAIL)
    lost = story.stage.account(RETAIL)
    story.applied(
        f"{RETAIL} has 200 units pledged to {broker}, and 300 are frozen, when the key is lost.",
        f"{RETAIL}은(는) 키를 잃어버린 시점에 200단위가 {broker}에 담보로, 300단위가 동결되어 있습니다.",
        (RETAIL, broker),
        act("holds.place", asset=terms.code, account=lost, units=200, owner=story.stage.account(broker),
            reason="margin", expires=0),
        act("holds.freeze_units", asset=terms.code, account=lost, units=300, free=False,
            reason="inheritance dispute", evidence=evidence("dispute")),
    )  # fmt: skip
    before = (story.stage.lots(terms.code, RETAIL), story.stage.holding(terms.code, RETAIL))
    cash = story.stage.units(terms.currency, RETAIL)
    story.stage.cast.add(NEW_ACCOUNT)
    key = story.stage.cast.public(NEW_ACCOUNT)
    story.applied(
        f"{broker} opens a new account for the same person.",
        f"{broker}이(가) 같은 사람의 새 계좌를 개설합니다.",
        (broker,),
        act("identity.open_account", party=party_number(RETAIL), custodian=broker, threshold=1, keys=[key]),
    )
    reason = {"reason": "key lost, identity proven in person", "evidence": evidence("visit")}
    story.refused(
        f"A recovery to {FROZEN}'s account is refused: another person, and not an empty account.",
        f"{FROZEN}의 계좌로는 복구할 수 없습니다. 다른 사람이고, 비어 있지도 않습니다.",
        ["NotSamePerson", "NotEmpty", "NotEmpty"],
        (broker, terms.registrar),
        act("settlement.recover", account=lost, to=story.stage.account(FROZEN), **reason),
    )
    story.applied(
        f"{broker} and {terms.registrar} recover everything to it.",
        f"{broker}과(와) {terms.registrar}이(가) 모든 것을 새 계좌로 복구합니다.",
        (broker, terms.registrar),
        act("settlement.recover", account=lost, to=story.stage.account(NEW_ACCOUNT), **reason),
    )
    after = (story.stage.lots(terms.code, NEW_ACCOUNT), story.stage.holding(terms.code, NEW_ACCOUNT))
    story.fact(
        "Lots with their dates and costs, the pledge, the frozen units and the cash came along.",
        "취득일과 원가, 담보, 동결 단위, 현금이 모두 함께 옮겨졌습니다.",
        (*before, cash, _reasons(story, RETAIL, ["margin"])),
        (*after, story.stage.units(terms.currency, NEW_ACCOUNT), _reasons(story, NEW_ACCOUNT)),
    )
    story.refused(
        "Whoever found the old key cannot use it.",
        "옛 키를 주운 사람은 그것을 쓸 수 없습니다.",
        ["AccountMoved", "InsufficientUnits"],
        (RETAIL,),
        send(story, RETAIL, BUYER, 100),
    )


def _reasons(story: Story, name: str, known: list[str] | None = None) -> list[str]:
    """Why units of the line are under holds, or what is known of it."""
    if known is not None:
        return known
    chosen = select(HOLDS.c.reason).where(
        HOLDS.c.account == story.stage.account(name), HOLDS.c.asset == story.dossier.terms.code
    )
    return [str(row["reason"]) for row in story.stage.rows(chosen)]


def _thaw(story: Story) -> None:
    terms = story.dossier.terms
    story.applied(
        f"The complaint against {FROZEN} came to nothing: {terms.supervisor} frees the 600 units.",
        f"{FROZEN}에 대한 민원이 종결되어 {terms.supervisor}이(가) 600단위의 동결을 해제합니다.",
        (terms.supervisor,),
        act("holds.freeze_units", asset=terms.code, account=story.stage.account(FROZEN), units=600, free=True,
            reason="complaint unfounded", evidence=evidence("closed")),
    )  # fmt: skip
