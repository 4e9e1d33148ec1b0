"""The files that go between hosts which share no secret: what members ask the authority for, and what it answers.

None holds a secret. Lists are signed by the authority, whose certificate every member has, and say when they were made,
so that neither altered nor outdated ones are taken. An application is signed by the two keys that it names. Does not
own: how files travel, who answers for an applicant, nor what is done with a file (``ceremony``, ``applying``,
``admission``).
"""

from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from stoa.custody import durable
from stoa.kernel import limits
from stoa.kernel.identifiers import CODE_PATTERN, END
from stoa.network.certificates import Authority, signed_by

MAX_BYTES: Final = 1024 * 1024
PURPOSE: Final = b"stoa.network.lists\n"  # before what the authority signs, so that it means nothing else

_Chain = Annotated[str, Meta(min_length=1, max_length=limits.MAX_CODE)]
_Code = Annotated[str, Meta(pattern=CODE_PATTERN)]
_Named = Annotated[str, Meta(pattern=f"^{END}|{CODE_PATTERN}")]  # a code, or nobody's
_Pem = Annotated[str, Meta(max_length=8_192)]
_PublicKey = Annotated[str, Meta(pattern=r"^[0-9a-f]{66}" + END)]
_Signature = Annotated[str, Meta(pattern=r"^([0-9a-f]{2}){0,100}" + END)]


class BadPaper(ValueError):
    """A file of the ceremony is not what it must be; the message says why."""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="stoa.network.request"):
    """A member asks for certificates; both texts are PKCS 10 in PEM."""

    chain: _Chain
    code: _Code
    server: _Pem
    client: _Pem


class Application(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="stoa.network.application"):
    """An institution asks to be let in, and for certificates. ``account`` and ``voting`` are its public keys, in hex;
    both have signed all the rest (``account_signature``, ``voting_signature``)."""

    chain: _Chain
    code: _Code
    name: Annotated[str, Meta(max_length=limits.MAX_NAME)]
    country: Annotated[str, Meta(max_length=2)]
    roles: Annotated[tuple[str, ...], Meta(max_length=limits.MAX_KEYS)]
    host: Annotated[str, Meta(max_length=253)]
    port: int
    account: _PublicKey
    voting: _PublicKey
    server: _Pem
    client: _Pem
    account_signature: _Signature = ""
    voting_signature: _Signature = ""


class Welcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a newcomer needs beside certificates: the genesis of the ledger, and whom its programs are told of
    (``peer``; empty: everybody). ``asked`` is what it is granted upon, for those who vote."""

    asked: Application
    genesis: bytes
    peer: _Named = ""


class Lists(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="stoa.network.lists"):
    """Who is let in from now on and what the plan is, for every host; with the certificates of the one whom they are
    granted to, and its welcome if it is new. ``made``: by the authority's clock, in milliseconds."""

    chain: _Chain
    made: int
    access: str
    pins: str
    plan: str
    code: _Named = ""
    ca: _Pem = ""
    server: _Pem = ""
    client: _Pem = ""
    welcome: Welcome | None = None
    signature: _Signature = ""


Paper = Request | Application | Lists


def read_paper(path: Path) -> Paper:
    """A file of the ceremony. Raises BadPaper and OSError."""
    raw = path.read_bytes()
    try:
        if len(raw) > MAX_BYTES:
            raise BadPaper(f"{path.name} is larger than any request or grant")
        return msgspec.json.decode(raw, type=Request | Application | Lists)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadPaper(f"{path.name}: {error}") from None


def write_paper(paper: Paper, path: Path) -> None:
    """Write a file of the ceremony."""
    durable.write(path, msgspec.json.format(msgspec.json.encode(paper)) + b"\n")


def sealed(lists: Lists, authority: Authority) -> Lists:
    """The lists as the authority has signed them."""
    return msgspec.structs.replace(lists, signature=authority.sign(_signed(lists)).hex())


def require_sealed(lists: Lists, ca: bytes) -> None:
    """Raise BadPaper unless the authority of this certificate signed the lists as they are."""
    if not signed_by(ca, _signed(lists), bytes.fromhex(lists.signature)):
        raise BadPaper(
            "the network's authority did not sign these lists: the file was altered, or comes from elsewhere"
        )


def _signed(lists: Lists) -> bytes:
    return PURPOSE + msgspec.json.encode(msgspec.structs.replace(lists, signature=""))
