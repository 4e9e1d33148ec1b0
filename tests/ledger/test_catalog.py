"""The catalog: permanent tags and numbers, sentences in two languages, and bounds that hold at the gate."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from stoa.kernel.base import Event, Rejection
from stoa.kernel.codec import encode
from stoa.ledger.catalog import EVENTS, INSTRUCTIONS, REJECTIONS, Body, Receipt, read_body, read_receipt, tag_of
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
