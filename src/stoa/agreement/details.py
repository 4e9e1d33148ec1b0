"""What agreement has to tell people, as values: a kind of alarm, a code, and the figures behind it.

No sentences: who shows an alarm has the words for its code, in the reader's language (``node.sayings``).
"""

from typing import Any, ClassVar

import msgspec


def _code(name: str) -> str:
    """``NoQuorum`` has the code ``no_quorum``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


class Detail(msgspec.Struct, frozen=True, tag_field="code", tag=_code):
    """Base of all of them. A subclass sets ``kind``: that of the alarm which says it, or where else it is told."""

    kind: ClassVar[str]

    @property
    def code(self) -> str:
        """The permanent name."""
        return str(self.__struct_config__.tag)

    @property
    def figures(self) -> dict[str, Any]:
        """The fields by name."""
        return msgspec.structs.asdict(self)


class NoQuorum(Detail, frozen=True):
    """Votes for the block cannot become a quorum any more. ``votes``: the hashes, each with who voted for it."""

    kind = "split"
    height: int
    quorum: int
    votes: str


class AnotherHash(Detail, frozen=True):
    """The block is certified with this hash, and gives another one here."""

    kind = "diverged"
    height: int
    certified: str


class TooFewPromises(Detail, frozen=True):
    """So many members have promised behind the block or before, and ``quorum`` of them must."""

    kind = "epoch"
    promised: int
    height: int
    quorum: int


class SeveralPossible(Detail, frozen=True):
    """More than one block of this height may be final with the votes of those who have not promised yet."""

    kind = "epoch"
    height: int


class PromisesNothing(Detail, frozen=True):
    """Votes of this validator may be lost: it promises nothing until it is back."""

    kind = "epoch"
