"""Identifiers: what a party, an account, an asset and an institution are called on the ledger.

An account is 20 bytes, written for people as a bech32m address (BIP 350); a party is a random number that says
nothing about the person; assets and institutions have short codes that people read.
"""

import re
from functools import lru_cache
from typing import Annotated, Final

from msgspec import Meta

from stoa.kernel import limits
from stoa.kernel.hashing import tagged

ACCOUNT_BYTES: Final = 20
ADDRESS_PREFIX: Final = "stoa"
END: Final = r"$(?!\n)"  # the end of a pattern: in Python a bare "$" also matches before a final newline
CODE_PATTERN: Final = rf"^[A-Z0-9][A-Z0-9.\-]{{0,{limits.MAX_CODE - 1}}}{END}"
CODE_RULE: Final = f"1 to {limits.MAX_CODE} capital letters, digits, dots and dashes, a letter or digit first"

AccountId = Annotated[bytes, Meta(min_length=ACCOUNT_BYTES, max_length=ACCOUNT_BYTES)]
PartyId = Annotated[int, Meta(ge=1, le=2**63 - 1)]
AssetId = Annotated[str, Meta(pattern=CODE_PATTERN)]
InstitutionId = Annotated[str, Meta(pattern=CODE_PATTERN)]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}" + END)]
PublicKey = Annotated[bytes, Meta(min_length=33, max_length=33)]
Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]

_ADDRESSES: Final = 65_536  # written addresses kept ready: a checksum in Python costs a verification of a signature
_CHARSET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32M: Final = 0x2BC830A3
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CODE: Final = re.compile(CODE_PATTERN)


class BadAddress(ValueError):
    """The text is not an address of this ledger; the message says which test it fails."""


def account_id(threshold: int, keys: tuple[bytes, ...]) -> bytes:
    """The id of the account opened with these keys: 20 bytes of a tagged SHA-256 over m and the sorted keys."""
    return tagged("stoa.account", bytes([threshold]), *sorted(keys))[:ACCOUNT_BYTES]


def is_code(text: str) -> bool:
    """Whether the text may name an asset or an institution."""
    return _CODE.match(text) is not None


@lru_cache(maxsize=_ADDRESSES)
def address(account: bytes) -> str:
    """The account as a bech32m address, e.g. ``stoa1q…`` (BIP 350, without a witness version)."""
    data = _regroup(account, 8, 5)
    return f"{ADDRESS_PREFIX}1" + "".join(_CHARSET[value] for value in data + _checksum(data))


def parse_address(text: str) -> bytes:
    """The 20 bytes behind an address. Raises BadAddress when prefix, letters, checksum or length are off."""
    folded = text.strip().lower()
    if text.strip() not in (folded, folded.upper()):
        raise BadAddress("an address is all lower or all upper case")
    prefix, found, body = folded.rpartition("1")
    if not found or prefix != ADDRESS_PREFIX:
        raise BadAddress(f"an address starts with {ADDRESS_PREFIX}1")
    if any(letter not in _CHARSET for letter in body) or len(body) < 7:
        raise BadAddress("an address holds only the letters " + _CHARSET)
    data = [_CHARSET.index(letter) for letter in body]
    if _polymod(_expanded() + data) != _BECH32M:
        raise BadAddress("the address has a typing error: its checksum does not match")
    account = bytes(_regroup(data[:-6], 5, 8, pad=False))
    if len(account) != ACCOUNT_BYTES:
        raise BadAddress(f"an address holds {ACCOUNT_BYTES} bytes, this one {len(account)}")
    return account


def _expanded() -> list[int]:
    return [ord(c) >> 5 for c in ADDRESS_PREFIX] + [0] + [ord(c) & 31 for c in ADDRESS_PREFIX]


def _checksum(data: list[int]) -> list[int]:
    total = _polymod(_expanded() + data + [0] * 6) ^ _BECH32M
    return [(total >> 5 * (5 - place)) & 31 for place in range(6)]


def _polymod(values: list[int]) -> int:
    total = 1
    for value in values:
        top = total >> 25
        total = (total & 0x1FFFFFF) << 5 ^ value
        for place in range(5):
            total ^= _GENERATOR[place] if (top >> place) & 1 else 0
    return total


def _regroup(values: bytes | list[int], source: int, target: int, pad: bool = True) -> list[int]:
    held, bits, out = 0, 0, []
    for value in values:
        held, bits = (held << source) | value, bits + source
        while bits >= target:
            bits -= target
            out.append((held >> bits) & ((1 << target) - 1))
    if pad and bits:
        out.append((held << (target - bits)) & ((1 << target) - 1))
    elif not pad and (bits >= source or held & ((1 << bits) - 1)):
        raise BadAddress("the address has bits left over")
    return out
