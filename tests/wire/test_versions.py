"""Words between versions: what an older one lacks, what a later one adds, and what nobody knows."""

import msgspec
import pytest

from stoa.kernel.codec import Malformed
from stoa.wire.status import Status, Unknown, read_word

TOLD = ["peer.status.v1", "chain", "A", 1, 7, bytes(32), None]
OPENING = ["peer.opening.v1", "chain", 2, []]
pack = msgspec.msgpack.encode


def test_a_status_may_lack_its_version_and_have_what_is_not_known_here() -> None:
    older, same, later = read_word(pack(TOLD)), read_word(pack([*TOLD, "1.2"])), read_word(pack([*TOLD, "2.0", "more"]))
    assert isinstance(older, Status)
    assert older.version == ""
    assert same == Status("chain", "A", 1, 7, bytes(32), None, "1.2")
    assert later == Status("chain", "A", 1, 7, bytes(32), None, "2.0")


def test_a_word_of_a_later_version_is_unknown_and_nothing_worse() -> None:
    with pytest.raises(Unknown):
        read_word(pack(["peer.later.v1", 1, 2]))


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xc1", pack([]), pack("peer.later.v1"), pack(["other", 1]), pack(TOLD[:-2]), pack([*OPENING, 1]),
     pack([*TOLD, "v" * 65]), pack(OPENING) + b"\0"],
)  # fmt: skip
def test_what_no_version_says_is_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed) as found:
        read_word(raw)
    assert not isinstance(found.value, Unknown)
