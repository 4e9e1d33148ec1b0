"""The catalog: permanent tags and numbers, sentences in two languages, and bounds that hold at the gate."""

import re
from collections.abc import Iterator
from typing import Any, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings

from stoa.kernel import limits
from stoa.kernel.base import Event, Reasons, Rejection, kept
from stoa.kernel.codec import Malformed, encode
from stoa.ledger.catalog import (
    EVENTS,
    INSTRUCTIONS,
    REJECTIONS,
    Body,
    Receipt,
    read_body,
    read_receipt,
    read_rejection,
    tag_of,
)
from stoa.ledger.identity.errors import AccountFrozen
from tests.ledger.shapes import valid

DOMAINS = {
    1000: "ledger.errors",
    1100: "identity",
    1200: "assets",
    1300: "compliance",
    1400: "holds",
    1500: "settlement",
}
TAG = re.compile(r"^[a-z_]+\.[a-z_]+\.v[1-9][0-9]*$")


def test_every_rejection_has_a_number_of_its_own_in_the_range_of_its_domain() -> None:
    numbers = [tag_of(kind) for kind in REJECTIONS]
    assert len(set(numbers)) == len(numbers) == len({kind.__name__ for kind in REJECTIONS})
    for kind, number in zip(REJECTIONS, numbers, strict=True):
        assert isinstance(number, int)
        assert 1_000 <= number < 10_000, kind
        domain = DOMAINS.get(number // 100 * 100)
        assert domain is None or domain in kind.__module__, f"{kind.__name__} is numbered {number}"
    owners = {number // 100: kind.__module__ for kind, number in zip(REJECTIONS, numbers, strict=True)}  # type: ignore[operator]
    for kind, number in zip(REJECTIONS, numbers, strict=True):
        assert owners[number // 100] == kind.__module__  # type: ignore[operator]


@pytest.mark.parametrize("kind", REJECTIONS, ids=lambda kind: kind.__name__)
def test_every_rejection_speaks_english_and_korean(kind: type[Rejection]) -> None:
    fields = set(kind.__struct_fields__)
    for sentence in (kind.en, kind.ko):
        named = set(re.findall(r"\{(\w+)", sentence))
        assert named <= fields, f"the sentence names {named - fields}"
    assert re.search("[가-힣]", kind.ko)
    assert kind.__doc__

    @settings(max_examples=3)
    @given(valid(kind))
    def speaks(rejection: Rejection) -> None:
        assert rejection.sentence("en").strip()
        assert rejection.sentence("ko").strip()

    speaks()


@pytest.mark.parametrize("kinds", [INSTRUCTIONS, EVENTS], ids=["instructions", "events"])
def test_tags_are_versioned_and_unique(kinds: tuple[type[Any], ...]) -> None:
    tags = [tag_of(kind) for kind in kinds]
    assert len(set(tags)) == len(tags)
    assert all(TAG.match(str(tag)) for tag in tags), tags


@pytest.mark.parametrize("kind", INSTRUCTIONS, ids=lambda kind: kind.__name__)
def test_every_instruction_survives_the_wire(kind: type[Any]) -> None:
    @settings(max_examples=15)
    @given(valid(kind))
    def survives(instruction: Any) -> None:
        body = Body("test", bytes(20), 0, 1, 0, (instruction,))
        assert read_body(encode(body)) == body

    survives()


@pytest.mark.parametrize("kind", [*EVENTS, *REJECTIONS], ids=lambda kind: kind.__name__)
def test_every_event_and_rejection_survives_the_receipt(kind: type[Any]) -> None:
    @settings(max_examples=5)
    @given(valid(kind))
    def survives(fact: Any) -> None:
        events = (fact,) if isinstance(fact, Event) else ()
        receipt = Receipt(bytes(32), 1, 0, fact if isinstance(fact, Rejection) else None, -1, events)
        assert read_receipt(encode(receipt)) == receipt

    survives()


@pytest.mark.parametrize("kind", REJECTIONS, ids=lambda kind: kind.__name__)
def test_every_rejection_is_read_back_from_what_an_event_keeps(kind: type[Any]) -> None:
    @settings(max_examples=5)
    @given(valid(kind))
    def survives(rejection: Rejection) -> None:
        assert [read_rejection(raw) for raw in kept([rejection])] == [rejection]

    survives()


def test_an_event_keeps_the_gravest_reasons_and_never_their_words() -> None:
    many = [AccountFrozen(bytes([place]) * 20) for place in range(limits.MAX_REASONS + 1)]
    assert [read_rejection(raw) for raw in kept(many)] == many[:-1]
    assert not [kind for kind in EVENTS if {"en", "ko", "sentence"} & set(kind.__struct_fields__)]
    keeping = [kind for kind in EVENTS if "reasons" in kind.__struct_fields__]
    hints = [get_type_hints(kind, include_extras=True)["reasons"] for kind in keeping]
    assert hints == [Reasons] * len(keeping)
    assert keeping


@pytest.mark.parametrize("raw", [b"", b"\xc0", b"\x92\x01\x02", encode(AccountFrozen(bytes(20))) + b"\x00"])
def test_what_is_no_rejection_is_not_read(raw: bytes) -> None:
    with pytest.raises(Malformed):
        read_rejection(raw)


def patterns(node: Any, seen: set[Any]) -> Iterator[str]:
    """Every text pattern that the type of an instruction leads to."""
    if isinstance(node, msgspec.inspect.StrType):
        if node.pattern:
            yield node.pattern
    elif isinstance(node, msgspec.inspect.StructType):
        if node.cls not in seen:
            seen.add(node.cls)
            for field in node.fields:
                yield from patterns(field.type, seen)
    elif isinstance(node, msgspec.inspect.UnionType):
        for each in node.types:
            yield from patterns(each, seen)
    elif isinstance(node, msgspec.inspect.VarTupleType):
        yield from patterns(node.item_type, seen)


@pytest.mark.parametrize("kind", INSTRUCTIONS, ids=lambda kind: kind.__name__)
def test_no_code_may_end_in_a_line_feed(kind: type[Any]) -> None:
    """``$`` also matches before a final newline: "HBT\\n" would be an asset that reads like HBT and is another."""
    for pattern in patterns(msgspec.inspect.type_info(kind), set()):
        good = [text for text in ("HBT", "KR", "USD", "identity", "*") if re.search(pattern, text)]
        assert good, pattern
        assert not any(re.search(pattern, text + "\n") for text in good), pattern
