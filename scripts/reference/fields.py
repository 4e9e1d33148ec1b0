"""What the fields of a shape may hold, as words; and the nested shapes that a reader has to look up."""

from types import NoneType, UnionType
from typing import Annotated, Any, Final, ForwardRef, Literal, Union, get_args, get_origin, get_type_hints

from scripts.reference.markdown import link, number
from stoa.kernel.codec import Shape
from stoa.kernel.identifiers import AccountId, AssetId, Country, Hash, PartyId, PublicKey
from stoa.kernel.money import Amount, Units
from stoa.kernel.time import Time

KINDS: Final[tuple[tuple[str, Any, str], ...]] = (
    ("account", AccountId, "20 bytes; in JSON an address `stoa1…`"),
    ("code", AssetId, "an asset or institution: 1 to 24 of `A-Z 0-9 . -`, a letter or digit first"),
    ("party", PartyId, "a random number, 1 to 2^63 − 1"),
    ("country", Country, "ISO 3166-1 alpha-2, two capital letters"),
    ("units", Units, "1 to 2^62, in the smallest unit of the asset"),
    ("amount", Amount, "0 to 2^62, in the smallest unit of the asset or currency"),
    ("time", Time, "milliseconds since 1970-01-01T00:00Z, 0 to 2^53"),
    ("hash", Hash, "32 bytes; in JSON 64 hexadecimal digits"),
    ("public key", PublicKey, "a point of secp256k1 in 33 bytes; in JSON 66 hexadecimal digits"),
)


def hints_of(kind: type[Shape]) -> dict[str, Any]:
    """The annotation of each field, in the order of the encoding."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: hints[name] for name in kind.__struct_fields__}


def words(hint: Any) -> str:
    """What the annotation admits."""
    for name, known, _ in KINDS:
        if hint == known:
            return f"[{name}](#kinds-of-field)"
    metas = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    bare = get_args(hint)[0] if metas else hint
    origin = get_origin(bare)
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in get_args(bare))
    if origin in (Union, UnionType):
        return " or ".join(words(one) for one in get_args(bare))
    if origin is tuple:
        return "list of " + words(get_args(bare)[0]) + _bounds(metas, "items")
    if isinstance(bare, type) and issubclass(bare, Shape):
        return link(bare.__name__)
    return _plain(bare, metas)


def _plain(bare: Any, metas: tuple[Any, ...]) -> str:
    if bare is NoneType:
        return "nothing"
    if isinstance(bare, ForwardRef | str):
        name = bare if isinstance(bare, str) else bare.__forward_arg__
        return f"`{name}`"
    names = {int: "integer", str: "text", bytes: "bytes", bool: "true or false"}
    return names.get(bare, str(bare)) + _bounds(
        metas, "characters" if bare is str else "bytes" if bare is bytes else ""
    )


def _bounds(metas: tuple[Any, ...], what: str) -> str:
    found = ""
    for meta in metas:
        low = meta.ge if meta.ge is not None else meta.min_length
        high = meta.le if meta.le is not None else meta.max_length
        if low is not None or high is not None:
            span = f"{number(low or 0)} to {number(high)}" if high is not None else f"from {number(low)}"
            found += f", {span}" + (f" {what}" if what else "")
        if meta.pattern:
            found += f", matching `{meta.pattern.removesuffix('(?!' + chr(92) + 'n)')}`"
    return found


def nested(kind: type[Shape]) -> list[type[Shape]]:
    """The shapes in the fields of a shape, and in theirs, in reading order."""
    found: dict[type[Shape], None] = {}
    _gather(list(hints_of(kind).values()), found)
    return list(found)


def _gather(hints: list[Any], found: dict[type[Shape], None]) -> None:
    for hint in hints:
        if isinstance(hint, type) and issubclass(hint, Shape):
            if hint not in found:
                found[hint] = None
                _gather(list(hints_of(hint).values()), found)
        else:
            _gather([one for one in get_args(hint) if not isinstance(one, str | int)], found)
