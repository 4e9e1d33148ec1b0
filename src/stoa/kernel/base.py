"""The base types of what moves through the ledger: instruction, event, rejection, and the context of one execution.

Three kinds of wrong are never mixed. A *rejection* is expected: a value with a permanent number, kept in the receipt.
A *fault* is I/O and is retried by the shell that met it. *Broken* is an invariant that failed: the node stops.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, ClassVar, Final, TypeAlias

import msgspec

from stoa.kernel import limits
from stoa.kernel.codec import Shape, encode
from stoa.kernel.identifiers import ACCOUNT_BYTES, address
from stoa.kernel.time import iso

# figures of a rejection that are times: a sentence shows them as dates, the JSON forms as milliseconds
TIMES: Final = frozenset(
    ("time", "expires", "expired", "until", "valid_until", "latest", "opens", "closes", "record", "payment")
)


class Instruction(Shape):
    """Base of what a signer asks for. A subclass sets ``tag``, e.g. ``settlement.transfer.v1``."""


class Event(Shape):
    """Base of what happened. A subclass sets ``tag``; every difference in the state is explained by an event."""


class Rejection(Shape):
    """Base of why something did not happen. A subclass sets ``tag``: its permanent number.

    ``en`` and ``ko`` are sentences over the fields (``str.format``), for people.
    """

    en: ClassVar[str]
    ko: ClassVar[str]

    @property
    def code(self) -> int:
        """The permanent number."""
        tag = type(self).__struct_config__.tag
        assert isinstance(tag, int)
        return tag

    @property
    def name(self) -> str:
        """The permanent name, e.g. ``InsufficientFreeUnits``."""
        return type(self).__name__

    def sentence(self, language: str = "en") -> str:
        """The reason as a sentence with its figures, in ``en`` or ``ko``."""
        words = {name: _dated(name, value) for name, value in figures(self).items()}
        return (self.ko if language == "ko" else self.en).format(**words)


# Rejections as an event keeps them, the gravest first: canonical bytes, which the catalog reads. Never their sentences:
# a later version may word those better, and an event has the same bytes for ever.
Reasons: TypeAlias = Annotated[tuple[bytes, ...], msgspec.Meta(max_length=limits.MAX_REASONS)]


def kept(rejections: Iterable[Rejection]) -> Reasons:
    """What an event keeps of these rejections: the first ``MAX_REASONS``."""
    return tuple(encode(rejection) for rejection in islice(rejections, limits.MAX_REASONS))


class Broken(Exception):
    """An invariant failed: the message says which, where and with what figures. Never caught to go on."""


def _dated(name: str, value: object) -> object:
    """A figure as people read it: a time in milliseconds becomes a date."""
    return iso(value) if name in TIMES and isinstance(value, int) and value else value


def figures(record: Shape) -> dict[str, object]:
    """The fields of a record by name, accounts and hashes as text, for messages and logs."""
    return {field: _plain(getattr(record, field)) for field in record.__struct_fields__}


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return address(value) if len(value) == ACCOUNT_BYTES else value.hex()
    if isinstance(value, Shape):
        return figures(value)
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    return value


class Context(msgspec.Struct, gc=False):
    """What one transaction, or one piece of due work, may know besides the state. Mutable only through ``emit``."""

    chain: str
    height: int
    time: int  # the block's, in milliseconds
    transaction: bytes  # id; for due work the id of the due item
    author: bytes  # the account whose lane the transaction used; empty for due work
    signers: tuple[bytes, ...]  # accounts whose threshold of keys is met
    events: list[Event]
    planned: object = None  # what a check has worked out for the apply that follows it on the same state

    def emit(self, event: Event) -> None:
        """Record that something happened."""
        self.events.append(event)

    def signed_by(self, account: bytes) -> bool:
        """Whether the account's threshold of keys signed this transaction."""
        return account in self.signers


Rejections = Iterator[Rejection]
