"""The exact condition behind a rule's sentence, as a line of text: facts by name, comparisons, all, any, not.

Reads the nested lists of the rules' language as the views keep them (``["is", fact, op, value]`` and so on).
"""

from typing import Any, Final

from stoa.web.language import Words

SIGNS: Final = {"==": "=", "!=": "≠", "<=": "≤", ">=": "≥", "in": "∈", "not in": "∉"}
FAMILIES: Final = ("sender.claim.", "receiver.claim.", "holders.country.after.", "holders.category.after.")


def condition(tree: list[Any], words: Words) -> str:
    """The condition in one line; empty for one that always holds."""
    kind, *rest = tree
    if kind == "is":
        return comparison(rest[0], rest[1], rest[2], words)
    if kind == "not":
        return f"{words('rule.not')} ({condition(rest[0], words)})"
    parts = [condition(item, words) for item in rest[0]]
    if len(parts) < 2:
        return parts[0] if parts else ("" if kind == "all" else words("rule.never"))
    joint = f" {words('rule.and' if kind == 'all' else 'rule.or')} "
    return joint.join(
        f"({part})" if item[0] in ("all", "any") else part for part, item in zip(parts, rest[0], strict=True)
    )


def comparison(fact: str, op: str, value: Any, words: Words) -> str:
    """One comparison, e.g. ``holders afterwards ≤ 100``."""
    return f"{fact_name(fact, words)} {SIGNS.get(op, op)} {plain(value)}"


def plain(value: Any) -> str:
    """A value as it reads: a list of words in braces, the empty word as a dash."""
    if isinstance(value, list | tuple):
        return "{" + ", ".join(map(str, value)) + "}"
    return str(value) if value != "" else "–"


def fact_name(fact: str, words: Words) -> str:
    """The fact in words; one of a family with the word of its own in brackets."""
    for family in FAMILIES:
        rest = fact.removeprefix(family)
        if rest != fact and f"fact.{family}*" in words.entries:
            return words(f"fact.{family}*", word=rest)
    return words.named("fact", fact)
