"""Canonical bytes: one value, one encoding; whatever else arrives is refused, never read as something near."""

from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoa.kernel.codec import Malformed, Shape, decoder, encode, read
from stoa.kernel.hashing import tagged


class Inner(Shape, tag="inner"):
    number: int
    text: str


class Other(Shape, tag="other"):
    flag: bool


class Outer(Shape):
    raw: bytes
    items: tuple[Inner | Other, ...]
    maybe: int | None


inners = st.builds(
    Inner, st.integers(-(2**63), 2**64 - 1), st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
)
outers = st.builds(
    Outer,
    st.binary(max_size=300),
    st.lists(inners | st.builds(Other, st.booleans()), max_size=20).map(tuple),
    st.none() | st.integers(0, 2**32),
)
READER = decoder(Outer)


def outcome(raw: bytes) -> Outer | None:
    try:
        return read(READER, raw)
    except Malformed:
        return None


@given(outers)
def test_what_is_encoded_is_read_back(value: Outer) -> None:
    assert read(READER, encode(value)) == value


@given(outers, st.data())
def test_any_mutation_is_refused_or_is_another_values_own_encoding(value: Outer, data: st.DataObject) -> None:
    raw = bytearray(encode(value))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.sampled_from(["flip", "insert", "remove", "set"])):
            case "flip":
                raw[at] ^= 1 << data.draw(st.integers(0, 7))
            case "insert":
                raw.insert(at, data.draw(st.integers(0, 255)))
            case "remove" if len(raw) > 1:
                del raw[at]
            case _:
                raw[at] = data.draw(st.sampled_from(b"\x00\x80\x90\xa0\xc0\xc1\xc4\xcc\xcd\xd9\xdc\xff"))
    found = outcome(bytes(raw))
    assert found is None or encode(found) == raw


@given(st.binary(max_size=64))
def test_arbitrary_bytes_are_refused_or_canonical(raw: bytes) -> None:
    found = outcome(raw)
    assert found is None or encode(found) == raw


GOOD = Outer(b"ab", (Inner(1, "x"),), 5)


@pytest.mark.parametrize(
    ("what", "raw"),
    [
        ("a wide integer", encode(GOOD)[:-1] + b"\xcc\x05"),
        ("a wider integer", encode(GOOD)[:-1] + b"\xcf" + bytes(7) + b"\x05"),
        ("a float", encode(GOOD)[:-1] + b"\xca\x40\xa0\x00\x00"),
        ("a long form of bytes", encode(GOOD).replace(b"\xc4\x02ab", b"\xc5\x00\x02ab")),
        ("a long form of text", encode(GOOD).replace(b"\xa1x", b"\xd9\x01x")),
        ("a long form of a list", encode(GOOD).replace(b"\x93", b"\xdc\x00\x03", 1)),
        ("trailing bytes", encode(GOOD) + b"\xc0"),
        ("missing bytes", encode(GOOD)[:-1]),
        ("an unknown field", encode((b"ab", (), None, 1))),
        ("a missing field", encode((b"ab", ()))),
        ("a map", encode({"raw": b"ab", "items": [], "maybe": None})),
        ("an unknown tag", encode((b"ab", [("nobody", 1)], None))),
        ("text for bytes", encode(("ab", (), None))),
        ("bytes for text", encode((b"ab", [("inner", 1, b"x")], None))),
        ("text that is not UTF-8", encode(GOOD).replace(b"\xa1x", b"\xa1\xff")),
        ("a boolean for a number", encode((b"ab", [("inner", True, "x")], None))),
        ("a number for a boolean", encode((b"ab", [("other", 1)], None))),
        ("text for a number", encode((b"ab", [("inner", "1", "x")], None))),
        ("an extension", encode((b"ab", (), msgspec.msgpack.Ext(1, b"x")))),
        ("a timestamp", b"\x93\xc4\x00\x90\xd6\xff\x00\x00\x00\x00"),
        ("nothing", b""),
    ],
)
def test_one_value_has_one_encoding(what: str, raw: bytes) -> None:
    assert raw != encode(GOOD)
    with pytest.raises(Malformed):
        read(READER, raw)


def test_nesting_ends_in_a_refusal_not_in_a_crash() -> None:
    for raw in (b"\x91" * 100_000, b"\x93\xc4\x00" + b"\x91" * 100_000, b"\x81\xa1a" * 50_000):
        with pytest.raises(Malformed):
            read(READER, raw)


def test_a_refusal_keeps_its_words_apart_from_the_decoders() -> None:
    with pytest.raises(Malformed) as first:
        read(READER, encode(("ab", (), None)))
    with pytest.raises(Malformed) as second:
        read(READER, encode((b"ab", (), "x")))
    assert first.value.rule == second.value.rule == "the bytes do not have the right fields"
    assert str(first.value) != str(second.value)


def test_a_shape_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        GOOD.maybe = 6  # type: ignore[misc]


def test_tags_keep_hashes_apart() -> None:
    """The tagged hash of BIP 340, restated."""
    tag = sha256(b"stoa.test").digest()
    assert tagged("stoa.test", b"a", b"b") == sha256(tag + tag + b"ab").digest()
    assert tagged("stoa.test", b"ab") != tagged("stoa.other", b"ab")
