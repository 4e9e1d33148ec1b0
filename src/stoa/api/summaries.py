"""What custody's policy is told about a body: taken from one decoding of the very bytes that will be signed.

Only the author's signature is given, so every instruction uses his authority and no other. Units are reported under the
asset that the same shape names, or under the offering where it names only that; a policy limits either by its code.
"""

from collections.abc import Iterator
from typing import Final

from stoa.api.problems import BadRequest, Problem
from stoa.custody.book import MAX_SUMMARIES, Intent
from stoa.custody.policy import Summary
from stoa.kernel.codec import Malformed, Shape
from stoa.ledger.catalog import read_body, tag_of

QUANTITIES: Final = ("units", "pool")  # fields that say how much is moved or held
ASSETS: Final = ("pays", "asset", "offering")  # fields that say of what; the first that a shape has


def intent_of(body: bytes, created: int) -> Intent:
    """The intent to have the body signed by its author. Raises Problem."""
    try:
        decoded = read_body(body)
    except Malformed as error:
        raise Problem(BadRequest(f"the body cannot be read: {error}")) from None
    found = [
        Summary(str(tag_of(type(ins))), decoded.author, asset, units)
        for ins in decoded.instructions
        for asset, units in list(_moved(ins)) or [("", 0)]
    ]
    if len(found) > MAX_SUMMARIES:
        raise Problem(BadRequest(f"an intent moves units at most {MAX_SUMMARIES} times"))
    return Intent(decoded.author, body, tuple(found), created)


def _moved(shape: Shape) -> Iterator[tuple[str, int]]:
    """What and how much, of the shape and of every shape in it. A part that names no asset (a lot) adds nothing."""
    named = next((str(getattr(shape, name)) for name in ASSETS if name in shape.__struct_fields__), None)
    for name in shape.__struct_fields__:
        value = getattr(shape, name)
        if name in QUANTITIES and named is not None and value:
            yield named, value
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Shape):
                yield from _moved(item)
