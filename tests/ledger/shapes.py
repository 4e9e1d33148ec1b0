"""Hypothesis strategies from msgspec types: any instruction, event or rejection that decoding would accept."""

from functools import cache
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

_DEEP_ENOUGH = 3  # levels of nested conditions; deeper ones are for the tests of nesting
_SEVERAL = 3  # items of a list, where the type asks for no more


def valid(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Values of the struct that pass its own constraints."""
    return _of(inspect.type_info(kind), _DEEP_ENOUGH)


def _of(node: Any, depth: int) -> st.SearchStrategy[Any]:
    match node:
        case inspect.StructType():
            return _structs(node, depth)
        case inspect.UnionType():
            return st.one_of([_of(each, depth) for each in node.types if depth > 0 or not _nests(each)])
        case inspect.TupleType():
            return st.tuples(*[_of(each, depth) for each in node.item_types])
        case inspect.VarTupleType():
            least = node.min_length or 0
            return st.lists(_of(node.item_type, depth - 1), min_size=least, max_size=least + _SEVERAL).map(tuple)
    return _leaf(node)


def _leaf(node: Any) -> st.SearchStrategy[Any]:
    match node:
        case inspect.IntType():
            return _integers(node)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.BytesType():
            return st.binary(min_size=node.min_length or 0, max_size=node.max_length or 40)
        case inspect.StrType():
            return _texts(node)
        case inspect.LiteralType():
            return st.sampled_from(node.values)
    raise NotImplementedError(f"no strategy for {node}")


def _integers(node: inspect.IntType) -> st.SearchStrategy[int]:
    return st.integers(-(2**63) if node.ge is None else node.ge, 2**63 - 1 if node.le is None else node.le)


def _texts(node: inspect.StrType) -> st.SearchStrategy[str]:
    if node.pattern:
        return st.from_regex(node.pattern.replace(r"$(?!\n)", r"\Z"), alphabet=st.characters(max_codepoint=127))
    most = 40 if node.max_length is None else min(node.max_length, 40)
    return st.text(st.characters(exclude_categories=["Cs"]), min_size=node.min_length or 0, max_size=most)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, field.type) for field in inspect.type_info(kind).fields)  # type: ignore[attr-defined]


def _structs(node: inspect.StructType, depth: int) -> st.SearchStrategy[Any]:
    inner = depth - 1 if _nests(node) else depth
    return st.builds(node.cls, *[_of(each, inner) for _, each in _fields(node.cls)])


def _nests(node: Any) -> bool:
    return isinstance(node, inspect.StructType) and node.cls.__name__ in ("All", "Any", "Not")
