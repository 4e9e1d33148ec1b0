"""Rules compiled to closures, once per version of a profile; and the checks that make a rule adoptable."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any as Anything
from typing import Final, NamedTuple

from stoa.ledger.compliance.case import Case, trust_by_topic
from stoa.ledger.compliance.conditions import ALWAYS, All, Compare, Condition, Not, compared
from stoa.ledger.compliance.errors import Figure, RulesInvalid
from stoa.ledger.compliance.facts import fact
from stoa.ledger.compliance.model import PHASES, Pack, Profile, Rule, Terms

Test = Callable[[Case], bool]

_OPERATORS: Final[dict[str, Callable[[Anything, Anything], bool]]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "in": lambda found, value: found in value, "not in": lambda found, value: found not in value,
}  # fmt: skip


class CompiledRule(NamedTuple):
    """A rule with its two tests, and the code and version of the pack that it comes from."""

    rule: Rule
    when: Test | None  # None: always
    require: Test
    source: tuple[str, int] | None  # None: the scope's own


RulesByPhase = Mapping[str, tuple[CompiledRule, ...]]


class CompiledProfile(NamedTuple):
    """A profile ready to judge: rules by phase, the scope's own in their order, then those of each pack in theirs.

    ``packs`` are the rows of the packs in it: where another row is in force, it is out of date.
    """

    version: int
    trusted: dict[str, tuple[str, ...]]
    countries: dict[str, None]
    rules: RulesByPhase
    packs: tuple[tuple[str, Pack], ...]


def compile_rules(rules: Sequence[Rule], source: tuple[str, int] | None = None) -> RulesByPhase:
    """The rules as closures, grouped by the phase they speak about."""
    made = [
        CompiledRule(rule, None if rule.when == ALWAYS else compiled(rule.when), compiled(rule.require), source)
        for rule in rules
    ]
    return {phase: tuple(one for one in made if phase in one.rule.phases) for phase in PHASES}


def compile_profile(
    profile: Profile, packs: tuple[tuple[str, Pack], ...], of_packs: Sequence[RulesByPhase]
) -> CompiledProfile:
    """The profile with the packs that its scope names, and their rules as ``compile_rules`` made them."""
    parts = [compile_rules(profile.terms.rules), *of_packs]
    rules = {phase: tuple(one for part in parts for one in part[phase]) for phase in PHASES}
    countries = dict.fromkeys(profile.terms.countries)
    return CompiledProfile(profile.version, trust_by_topic(profile.terms.trusted), countries, rules, packs)


def compiled(condition: Condition) -> Test:
    """The condition as a function of a case."""
    if isinstance(condition, Compare):
        kind = fact(condition.fact)
        assert kind is not None, condition.fact  # adoption checked it
        find, test, value = kind.find, _OPERATORS[condition.op], condition.value
        return lambda case: test(find(case), value)
    if isinstance(condition, Not):
        inner = compiled(condition.item)
        return lambda case: not inner(case)
    tests = tuple(compiled(item) for item in condition.items)
    if isinstance(condition, All):
        return lambda case: all(test(case) for test in tests)
    return lambda case: any(test(case) for test in tests)


def figures(condition: Condition, case: Case) -> tuple[Figure, ...]:
    """Each comparison of the condition with the fact as found."""
    return tuple(
        Figure(leaf.fact, kind.find(case), leaf.op, leaf.value)
        for leaf in compared(condition)
        if (kind := fact(leaf.fact)) is not None
    )


def terms_rejections(scope: str, terms: Terms) -> Iterator[RulesInvalid]:
    """Why the terms cannot be adopted: what is wrong with a rule, and topics that are repeated."""
    yield from rules_rejections(scope, terms.rules)
    topics = [trust.topic for trust in terms.trusted]
    if len(dict.fromkeys(topics)) != len(topics):
        yield RulesInvalid(scope, "trusted", "a topic is listed twice")


def rules_rejections(scope: str, rules: Sequence[Rule]) -> Iterator[RulesInvalid]:
    """Why the rules cannot be adopted: repeated ids, dates out of order, unknown facts, values that do not fit.
    ``scope`` is whose rules they are, a scope or a pack."""
    seen: dict[str, None] = {}
    for rule in rules:
        if rule.id in seen:
            yield RulesInvalid(scope, rule.id, "the id is used twice")
        seen[rule.id] = None
        if rule.until and rule.until <= rule.effective:
            yield RulesInvalid(scope, rule.id, "it would end before it starts")
        for condition in (rule.when, rule.require):
            for leaf in compared(condition):
                why = _misfit(leaf)
                if why:
                    yield RulesInvalid(scope, rule.id, why)


def _misfit(leaf: Compare) -> str:
    kind = fact(leaf.fact)
    if kind is None:
        return f"there is no fact {leaf.fact}"
    if leaf.op in ("in", "not in"):
        fits = isinstance(leaf.value, tuple) and not kind.number
        return "" if fits else f"{leaf.fact} {leaf.op} needs a word fact and a list of words"
    if leaf.op in ("<", "<=", ">", ">=") and not kind.number:
        return f"{leaf.fact} is a word and has no order"
    if isinstance(leaf.value, tuple) or isinstance(leaf.value, int) != kind.number:
        return f"{leaf.fact} is a {'number' if kind.number else 'word'}, {leaf.value!r} is not"
    return ""
