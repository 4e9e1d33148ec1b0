"""Rules compiled to closures, once per version of a profile; and the checks that make a rule adoptable."""

import operator
from collections.abc import Callable, Iterator
from typing import Any as Anything
from typing import Final, NamedTuple

from stoa.ledger.compliance.case import Case, trust_by_topic
from stoa.ledger.compliance.conditions import ALWAYS, All, Compare, Condition, Not, compared
from stoa.ledger.compliance.errors import Figure, RulesInvalid
from stoa.ledger.compliance.facts import fact
from stoa.ledger.compliance.model import PHASES, Profile, Rule, Terms

Test = Callable[[Case], bool]

_OPERATORS: Final[dict[str, Callable[[Anything, Anything], bool]]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "in": lambda found, value: found in value, "not in": lambda found, value: found not in value,
}  # fmt: skip


class CompiledRule(NamedTuple):
    """A rule with its two tests."""

    rule: Rule
    when: Test | None  # None: always
    require: Test


class CompiledProfile(NamedTuple):
    """A profile ready to judge: rules by phase, in the profile's order."""

    version: int
    trusted: dict[str, tuple[str, ...]]
    countries: dict[str, None]
    rules: dict[str, tuple[CompiledRule, ...]]


def compile_profile(profile: Profile) -> CompiledProfile:
    """The profile's rules as closures, grouped by the phase they speak about."""
    rules = [
        CompiledRule(rule, None if rule.when == ALWAYS else compiled(rule.when), compiled(rule.require))
        for rule in profile.terms.rules
    ]
    by_phase = {phase: tuple(one for one in rules if phase in one.rule.phases) for phase in PHASES}
    countries = dict.fromkeys(profile.terms.countries)
    return CompiledProfile(profile.version, trust_by_topic(profile.terms.trusted), countries, by_phase)


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
    """Why the terms cannot be adopted: repeated ids, dates out of order, unknown facts, values that do not fit."""
    seen: dict[str, None] = {}
    for rule in terms.rules:
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
    topics = [trust.topic for trust in terms.trusted]
    if len(dict.fromkeys(topics)) != len(topics):
        yield RulesInvalid(scope, "trusted", "a topic is listed twice")


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
