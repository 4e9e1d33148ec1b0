"""Why something came to nothing: the rejections that an event keeps as bytes, for people to read.

The words are those of this version of the program; what was kept is the rejection, with its figures, and no words.
"""

import msgspec

from stoa.kernel.base import Event, Reasons, Rejection
from stoa.ledger.catalog import read_rejection


class Reason(msgspec.Struct, frozen=True):
    """A rejection's permanent number and name, and its sentence with the figures of then in both languages."""

    code: int
    name: str
    en: str
    ko: str


def reason_of(rejection: Rejection) -> Reason:
    """The rejection as a reason to read."""
    return Reason(rejection.code, rejection.name, rejection.sentence("en"), rejection.sentence("ko"))


def reasons_of(kept: Reasons) -> tuple[Reason, ...]:
    """The rejections that an event keeps, the gravest first. Raises Malformed."""
    return tuple(reason_of(read_rejection(raw)) for raw in kept)


def kept_by(event: Event) -> Reasons | None:
    """What the event keeps of rejections, or None for a kind that keeps none."""
    found: Reasons | None = getattr(event, "reasons", None)
    return found
