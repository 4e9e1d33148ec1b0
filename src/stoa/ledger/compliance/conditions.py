"""The language of rules: comparisons of named facts, combined with all, any and not. Data; ``compile.py`` runs it."""

from typing import Annotated, Literal

from msgspec import Meta

from stoa.kernel import limits
from stoa.kernel.codec import Shape
from stoa.kernel.identifiers import END

Operator = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in"]
Fact = Annotated[str, Meta(pattern=r"^[a-zA-Z][a-zA-Z0-9_.\-]{0,63}" + END)]
_Word = Annotated[str, Meta(max_length=64)]
Value = int | _Word | Annotated[tuple[_Word, ...], Meta(max_length=limits.MAX_COUNTRIES)]


class _Nested(Shape):
    """A condition over conditions. Depth is bounded while it is built: no decoder's or caller's stack decides."""

    def __post_init__(self) -> None:
        if depth(self) > limits.MAX_CONDITION_DEPTH:  # type: ignore[arg-type]
            raise RecursionError(f"conditions nest deeper than {limits.MAX_CONDITION_DEPTH}")


class Compare(Shape, tag="is"):
    """A fact stands in this relation to the value: a number, a word, or (``in``, ``not in``) a list of words."""

    fact: Fact
    op: Operator
    value: Value


class All(_Nested, tag="all"):
    """Every one holds; an empty list always does."""

    items: Annotated[tuple["Condition", ...], Meta(max_length=limits.MAX_CONDITION_ITEMS)]


class Any(_Nested, tag="any"):
    """At least one holds; an empty list never does."""

    items: Annotated[tuple["Condition", ...], Meta(max_length=limits.MAX_CONDITION_ITEMS)]


class Not(_Nested, tag="not"):
    """The condition does not hold."""

    item: "Condition"


Condition = Compare | All | Any | Not


def compared(condition: Condition) -> list[Compare]:
    """Every comparison in the condition, in reading order."""
    if isinstance(condition, Compare):
        return [condition]
    if isinstance(condition, Not):
        return compared(condition.item)
    return [leaf for item in condition.items for leaf in compared(item)]


def depth(condition: Condition) -> int:
    """How deeply the condition nests; a comparison alone is 1."""
    if isinstance(condition, Compare):
        return 1
    if isinstance(condition, Not):
        return 1 + depth(condition.item)
    return 1 + max((depth(item) for item in condition.items), default=0)


ALWAYS = All(())
