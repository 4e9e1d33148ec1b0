"""Canonical bytes: msgpack arrays of frozen structs that hold integers, bytes, strings and lists only.

Promises: one value has one encoding, and only that encoding is read back; unknown fields, missing fields, wide integer
forms and trailing bytes are refused. What was received is hashed as received, never as re-encoded.
"""

from typing import TypeVar, dataclass_transform

import msgspec

T = TypeVar("T")
_ENCODER = msgspec.msgpack.Encoder()
encode = _ENCODER.encode


class Malformed(ValueError):
    """The bytes are not the canonical encoding of the wanted type.

    ``rule`` is what they break, in words that never change, so that a receipt may carry it; the message adds the field,
    as the decoder at hand puts it.
    """

    def __init__(self, rule: str, detail: str = "") -> None:
        super().__init__(f"{rule}: {detail}" if detail else rule)
        self.rule = rule


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Shape(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Base of everything that has canonical bytes. Fields are integers, bytes, strings, tuples and other shapes."""


def decoder(kind: type[T]) -> "msgspec.msgpack.Decoder[T]":
    """A decoder that does not check canonicity: for bytes that we wrote ourselves."""
    return msgspec.msgpack.Decoder(kind)


def read(reader: "msgspec.msgpack.Decoder[T]", raw: bytes) -> T:
    """The value behind bytes that came from outside. Raises Malformed when they are not its canonical encoding."""
    value = decoded(reader, raw)
    if encode(value) != raw:
        raise Malformed("the bytes are not in canonical form")
    return value


def decoded(reader: "msgspec.msgpack.Decoder[T]", raw: bytes) -> T:
    """The value behind bytes that came from outside, in whatever form. Raises Malformed when there is none."""
    try:
        return reader.decode(raw)
    except RecursionError:  # how deep the decoder can go depends on its caller; a type that nests bounds itself before
        raise Malformed("the bytes nest too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed("the bytes do not have the right fields", str(error)) from None
