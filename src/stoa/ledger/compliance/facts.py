"""The closed vocabulary of facts that a rule may name, and how each is found. Times are days or milliseconds."""

from collections.abc import Callable
from typing import Final, NamedTuple

from stoa.ledger.compliance.case import Case

Found = int | str


class FactKind(NamedTuple):
    """One fact: a number or a word, its meaning for people, and where it comes from."""

    number: bool
    meaning: str
    find: Callable[[Case], Found]


FACTS: Final[dict[str, FactKind]] = {
    "phase": FactKind(False, "the kind of movement", lambda case: case.move.phase),
    "time": FactKind(True, "the block's time in milliseconds", lambda case: case.time),
    "units": FactKind(True, "units moved", lambda case: case.move.units),
    "sender.country": FactKind(False, "the sender's country of residence", Case.sender_country),
    "receiver.country": FactKind(False, "the receiver's country of residence", Case.receiver_country),
    "sender.category": FactKind(False, "the sender's investor category", Case.sender_category),
    "receiver.category": FactKind(False, "the receiver's investor category", Case.receiver_category),
    "same_person": FactKind(True, "1 if both accounts are one person's", Case.same_person),
    "receiver.enters": FactKind(True, "1 if the receiver holds nothing yet", Case.enters),
    "sender.leaves": FactKind(True, "1 if the sender keeps nothing", Case.leaves),
    "sender.units.before": FactKind(True, "the sender's units now", lambda case: case.sender_before.units),
    "sender.units.after": FactKind(True, "the sender's units afterwards", Case.sender_after),
    "receiver.units.before": FactKind(True, "the receiver's units now", lambda case: case.receiver_before.units),
    "receiver.units.after": FactKind(True, "the receiver's units afterwards", Case.receiver_after),
    "holders.before": FactKind(True, "persons who hold now", Case.holders),
    "holders.after": FactKind(True, "persons who hold afterwards", Case.holders_after),
    "holders.country.after": FactKind(
        True,
        "holders in the receiver's country afterwards",
        lambda case: case.country_after(case.receiver_country()),
    ),
    "holders.category.after": FactKind(
        True,
        "holders of the receiver's category afterwards",
        lambda case: case.category_after(case.receiver_category()),
    ),
    "lots.age_days": FactKind(True, "whole days that the youngest moved lot has been held", Case.lot_age_days),
}

# facts with a word of the rule's own in their name
SENDER_CLAIM: Final = "sender.claim."  # + topic
RECEIVER_CLAIM: Final = "receiver.claim."
COUNTRY_AFTER: Final = "holders.country.after."  # + ISO 3166-1 alpha-2
CATEGORY_AFTER: Final = "holders.category.after."


def fact(name: str) -> FactKind | None:
    """The fact of this name, or None: the vocabulary is closed."""
    if name in FACTS:
        return FACTS[name]
    for prefix, build in _FAMILIES:
        rest = name.removeprefix(prefix)
        if rest != name and rest:
            return build(rest)
    return None


_FAMILIES: Final[tuple[tuple[str, Callable[[str], FactKind]], ...]] = (
    (
        SENDER_CLAIM,
        lambda topic: FactKind(
            False, f"the sender's attested {topic}", lambda case: case.claim(case.move.sender, topic)
        ),
    ),
    (
        RECEIVER_CLAIM,
        lambda topic: FactKind(
            False, f"the receiver's attested {topic}", lambda case: case.claim(case.move.receiver, topic)
        ),
    ),
    (
        COUNTRY_AFTER,
        lambda country: FactKind(True, f"holders in {country} afterwards", lambda c: c.country_after(country)),
    ),
    (
        CATEGORY_AFTER,
        lambda name: FactKind(True, f"{name} holders afterwards", lambda c: c.category_after(name)),
    ),
)
