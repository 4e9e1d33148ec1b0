"""May I buy this, and if not, why: every rule with its outcome and figures, before anyone signs.

The answer is the ledger's own: a dry run of the subscription while units are on offer, else of a transfer by the seller
named, else of an issue while so many units are unissued; else the rules of a transfer, whoever may sell. A rule that is
not named as failed holds, or does not concern this movement.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from litestar import Response, get
from sqlalchemy import Connection

from stoa.api.building import Explanation, explain, may_acquire
from stoa.api.problems import Problem, Reason
from stoa.api.services import Services
from stoa.api.viewer import Asking, House
from stoa.kernel import limits
from stoa.kernel.identifiers import BadAddress, address, parse_address
from stoa.ledger.catalog import INSTRUCTION_BY_TAG, Body
from stoa.readmodel.queries.market import overview
from stoa.readmodel.queries.packs import PackRules, RuleLine
from stoa.readmodel.queries.paging import LONGEST_PAGE
from stoa.readmodel.queries.primary import OfferingLine, offerings
from stoa.readmodel.queries.securities import ProfileLine, SecurityDetail, security
from stoa.web.conditions import comparison, condition
from stoa.web.page import Page, Paper

SUBSCRIBE: Final = "offerings.subscribe.v1"
RULE_FAILED: Final = ("RuleFailed", "PackRuleFailed")
# what every movement is asked before the rules of the security, and the refusals that answer it
BASICS: Final[Mapping[str, tuple[str, ...]]] = {
    "identified": ("NotIdentified", "ClaimRevoked", "ClaimExpired", "ProfileUnknown"),
    "country": ("CountryNotOpen",),
    "account": ("AccountUnknown", "AccountFrozen", "AccountMoved", "SignerUnknown"),
    "trading": ("AssetPaused", "AssetUnknown"),
}


class Question(NamedTuple):
    """What the form asks. ``seller`` may be empty."""

    asset: str
    account: bytes
    units: int
    seller: bytes


class Check(NamedTuple):
    """One line of the answer. ``rule`` is None for what is asked of every movement."""

    holds: bool
    sentence: str
    rule: RuleLine | None = None
    figures: tuple[str, ...] = ()
    found: Mapping[str, Any] = {}  # what a refusal's sentence speaks of, by name
    pack: PackRules | None = None  # that the rule comes from


class Answer(NamedTuple):
    """The verdict with every check, and by what movement it was judged."""

    allowed: bool
    phase: str
    checks: list[Check]


@get("/eligibility", sync_to_thread=True)
def eligibility_page(page: Paper, services: House, viewer: Asking) -> Response[str]:
    """The form, and the answer once it is filled in."""
    form = {name: page.query.get(name, "").strip() for name in ("asset", "account", "units", "seller")}
    form["account"] = form["account"] or (address(viewer.accounts[0]) if viewer.accounts else "")
    answer, wrong = None, ""
    with services.views.read() as views:
        listed = overview(views, services.clock(), limit=LONGEST_PAGE).items
        if page.query.get("units"):
            question, wrong = _question(form, page)
            answer, wrong = _answered(views, services, page, question) if question else (None, wrong)
    classes = [(one.code, f"{line.name} · {one.code}") for line in listed for one in line.classes]
    exact = lambda tree: condition(tree, page.words)  # noqa: E731 - a filter for one template
    mine = [address(one) for one in viewer.accounts]
    return page.render(
        "eligibility.html", form=form, classes=classes, answer=answer, wrong=wrong, exact=exact, mine=mine
    )


def _question(form: Mapping[str, str], page: Page) -> tuple[Question | None, str]:
    """The question, or the sentence that says what is wrong with it."""
    try:
        account = parse_address(form["account"])
        seller = parse_address(form["seller"]) if form["seller"] else b""
    except BadAddress as error:
        return None, page.words("eligibility.bad_address", why=str(error))
    text = form["units"]
    units = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    if not 1 <= units <= limits.MAX_UNITS:
        return None, page.words("eligibility.bad_units")
    return Question(form["asset"], account, units, seller), ""


def _answered(views: Connection, services: Services, page: Page, question: Question) -> tuple[Answer | None, str]:
    now = services.clock()
    found = security(views, question.asset, now) or security(views, question.asset.partition(".")[0], now)
    if found is None:
        return None, page.words("eligibility.unknown")
    on_offer = next((one for one in offerings(views, [question.asset]).items if one.stage == "open"), None)
    try:
        phase, explanation = _dry_run(services, question, on_offer, now, page.words.language)
    except Problem as problem:
        return None, problem.main.sentence(page.words.language)
    checks = [*_basics(explanation.reasons, page), *_rules(found, question.asset, phase, explanation.reasons, page)]
    named = {name for names in BASICS.values() for name in names} | {*RULE_FAILED}
    others = [_refusal(one) for one in explanation.reasons if one.name not in named]
    return Answer(explanation.allowed, phase, [*others, *checks]), ""


def _dry_run(
    services: Services, question: Question, on_offer: OfferingLine | None, now: int, language: str
) -> tuple[str, Explanation]:
    """The phase it is judged in, and what the ledger says."""
    if on_offer is None or question.seller:
        return may_acquire(services, question.asset, question.account, question.units, language, question.seller)
    price = next((tier.price for tier in on_offer.tiers if now < tier.until), 0)
    kind: Any = INSTRUCTION_BY_TAG[SUBSCRIBE]
    wish = kind(on_offer.code, question.account, question.units, min(question.units * price, limits.MAX_UNITS))
    body = Body(services.node.chain, question.account, 0, 1, now, (wish,))
    return "offering", explain(services, body, [question.account], language)


def _basics(reasons: Sequence[Reason], page: Page) -> list[Check]:
    found = []
    for name, refusals in BASICS.items():
        against = {one.sentence: _refusal(one) for one in reasons if one.name in refusals}
        found += list(against.values()) or [Check(True, page.words(f"eligibility.{name}"))]
    return found


def _refusal(one: Reason) -> Check:
    return Check(False, one.sentence, found=one.figures)


def _rules(found: SecurityDetail, asset: str, phase: str, reasons: Sequence[Reason], page: Page) -> list[Check]:
    """Every rule in force about such a movement; those that fail come with the figures found."""
    failed = {
        (one.figures["scope"], one.figures.get("pack", ""), one.figures["rule"]): one.figures["figures"]
        for one in reasons
        if one.name in RULE_FAILED
    }
    checks = []
    for profile in found.profiles:
        if profile.scope in (asset, found.line.code):
            for pack, rule in _asked(profile):
                if rule.in_force and phase in rule.phases:
                    figures = failed.get((profile.scope, pack.code if pack else "", rule.id))
                    sentence = rule.ko if page.words.language == "ko" else rule.en
                    shown = tuple(_figure(one, page) for one in figures or ())
                    checks.append(Check(figures is None, sentence, rule, shown, pack=pack))
    return checks


def _asked(profile: ProfileLine) -> Iterator[tuple[PackRules | None, RuleLine]]:
    """The scope's own rules, then those of the packs that it names, each with its pack."""
    yield from ((None, rule) for rule in profile.rules)
    for pack in profile.packs:
        yield from ((pack, rule) for rule in pack.rules)


def _figure(one: Mapping[str, Any], page: Page) -> str:
    wanted = comparison(one["fact"], one["op"], one["value"], page.words)
    return page.words("eligibility.figure", wanted=wanted, found=one["found"] if one["found"] != "" else "–")
