"""Forms: how shapes are written for people and for programs in other languages, as JSON objects by field name.

``to_form`` and ``from_form`` are each other's inverse. Accounts are addresses, other bytes hexadecimal text, a kind is
named by its ``tag``. A form is a convenience: what is signed is always the canonical bytes behind it.
"""

from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from stoa.kernel import limits
from stoa.kernel.codec import Shape
from stoa.kernel.identifiers import ACCOUNT_BYTES, ADDRESS_PREFIX, BadAddress, address, parse_address

T = TypeVar("T")
TAG: Final = "tag"
MAX_DEPTH: Final = 4 * limits.MAX_CONDITION_DEPTH  # of nested forms: more cannot be meant


class BadForm(ValueError):
    """The form does not describe the shape; the message names the place and the rule."""


def to_form(value: Any) -> Any:
    """The JSON form of a shape, or of a value in one."""
    if isinstance(value, Shape):
        tag = value.__struct_config__.tag
        named = {} if tag is None else {TAG: tag}
        return named | {field: to_form(getattr(value, field)) for field in value.__struct_fields__}
    if isinstance(value, bytes):
        return address(value) if len(value) == ACCOUNT_BYTES else value.hex()
    if isinstance(value, (tuple, list)):
        return [to_form(item) for item in value]
    return value


def from_form(kind: type[T], form: Any) -> T:
    """The shape behind a form, its constraints checked. Raises BadForm."""
    value: T = _read(kind, form, kind.__name__, 0)
    return value


def pick_form(kinds: Mapping[str, type[T]], form: Any) -> T:
    """The shape behind a form of one of these kinds, chosen by its tag. Raises BadForm."""
    tag = form.get(TAG) if isinstance(form, dict) else None
    if not isinstance(tag, str) or tag not in kinds:
        raise BadForm(f"{TAG} is {tag!r}, which names no known kind")
    return from_form(kinds[tag], form)


def _read(kind: Any, form: Any, at: str, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise BadForm(f"{at}: nested too deeply")
    bare, origin = _bare(kind), get_origin(_bare(kind))
    if origin in (Union, UnionType):
        return _read_union(kind, bare, form, at, depth)
    if isinstance(bare, type) and issubclass(bare, Shape):
        return _read_shape(bare, form, at, depth)
    if origin is tuple:
        return _leaf(kind, _read_items(bare, form, at, depth), at)
    return _leaf(kind, _bytes(form, at) if bare is bytes else form, at)


def _read_shape(kind: type[Shape], form: Any, at: str, depth: int) -> Shape:
    if not isinstance(form, dict):
        raise BadForm(f"{at}: expected an object")
    fields, tag = _fields(kind), kind.__struct_config__.tag
    if tag is not None and form.get(TAG) != tag:
        raise BadForm(f"{at}: {TAG} is {form.get(TAG)!r}, expected {tag!r}")
    unknown = [name for name in form if name not in fields and not (name == TAG and tag is not None)]
    if unknown:
        raise BadForm(f"{at}: there is no field {unknown[0]!r}")
    missing = [name for name in fields if name not in form]
    if missing:
        raise BadForm(f"{at}: the field {missing[0]!r} is missing")
    read = {name: _read(hint, form[name], f"{at}.{name}", depth + 1) for name, hint in fields.items()}
    try:
        return kind(**read)
    except ValueError as error:
        raise BadForm(f"{at}: {error}") from None


def _read_union(kind: Any, bare: Any, form: Any, at: str, depth: int) -> Any:
    if form is None and NoneType in get_args(bare):
        return None
    if isinstance(form, dict):
        tag = form.get(TAG)
        for option in get_args(bare):
            if isinstance(option, type) and issubclass(option, Shape) and option.__struct_config__.tag == tag:
                return _read_shape(option, form, at, depth)
        raise BadForm(f"{at}: {TAG} is {tag!r}, which names no known kind")
    return _leaf(kind, form, at)


def _read_items(bare: Any, form: Any, at: str, depth: int) -> list[Any]:
    if not isinstance(form, list):
        raise BadForm(f"{at}: expected a list")
    items = get_args(bare)
    if items[-1] is not Ellipsis and len(items) != len(form):
        raise BadForm(f"{at}: expected {len(items)} items")
    kinds = [items[0]] * len(form) if items[-1] is Ellipsis else list(items)
    return [_read(kind, item, f"{at}[{place}]", depth + 1) for place, (kind, item) in enumerate(zip(kinds, form))]  # noqa: B905


def _bytes(form: Any, at: str) -> bytes:
    if not isinstance(form, str):
        raise BadForm(f"{at}: expected an address or hexadecimal text")
    try:
        return parse_address(form) if form.lower().startswith(ADDRESS_PREFIX) else bytes.fromhex(form)
    except (BadAddress, ValueError) as error:
        raise BadForm(f"{at}: {error}") from None


def _leaf(kind: Any, value: Any, at: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise BadForm(f"{at}: {error}") from None


@cache
def _fields(kind: type[Shape]) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: hints[name] for name in kind.__struct_fields__}


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


# ---- schemas, for the interface description


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON schema of the kind's forms, nested kinds in full; what nests itself is cut at its name."""
    return _schema(kind, ())


def _schema(kind: Any, within: tuple[Any, ...]) -> dict[str, Any]:
    bare, origin = _bare(kind), get_origin(_bare(kind))
    if origin in (Union, UnionType):
        return {"anyOf": [_schema(option, within) for option in get_args(bare)]}
    if isinstance(bare, type) and issubclass(bare, Shape):
        return {"type": "object", "title": bare.__name__} if bare in within else _shape_schema(bare, (*within, bare))
    if origin is tuple:
        return {"type": "array", "items": _schema(get_args(bare)[0], within)} | _bounds(
            kind, ("min_length", "max_length")
        )
    if bare is bytes:
        return {"type": "string", "description": "an address, or hexadecimal text"}
    return dict(msgspec.json.schema(kind))


def _shape_schema(kind: type[Shape], within: tuple[Any, ...]) -> dict[str, Any]:
    tag = kind.__struct_config__.tag
    properties = {} if tag is None else {TAG: {"const": tag}}
    properties |= {name: _schema(hint, within) for name, hint in _fields(kind).items()}
    return {
        "type": "object",
        "title": kind.__name__,
        "description": " ".join((kind.__doc__ or "").split()),
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _bounds(kind: Any, names: tuple[str, str]) -> dict[str, int]:
    found = {}
    for meta in get_args(kind)[1:] if get_origin(kind) is Annotated else ():
        for name, word in zip(names, ("minItems", "maxItems"), strict=True):
            if (bound := getattr(meta, name, None)) is not None:
                found[word] = bound
    return found
