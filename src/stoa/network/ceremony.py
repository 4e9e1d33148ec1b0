"""Renewal between hosts that share no secret: a request goes to the authority, a grant comes back, lists go to all.

The institution makes its keys itself and sends what they sign; the authority answers with certificates and with the
lists that every server reads. Neither file holds a secret, both must come by a way that is trusted: the authority's
operator makes sure who asks. Old numbers stay let in until they are retired. Does not own: how files travel.
"""

from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from stoa.custody import durable
from stoa.custody.secret import Secret
from stoa.network import folders
from stoa.network.certificates import Authority, Pair, PrivateKey, PublicKey, new_key, write_key
from stoa.network.founding import grant, member_word
from stoa.network.plan import Member, Plan
from stoa.network.register import Register
from stoa.network.server_conf import access_conf, pins_conf

MAX_BYTES: Final = 1024 * 1024
NEXT: Final = "next-"  # before the name of a key that has no certificate yet


class BadPaper(ValueError):
    """A file of the ceremony is not what it must be; the message says why."""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="stoa.network.request"):
    """An institution asks for certificates; both texts are PKCS 10 in PEM."""

    chain: str
    code: str
    server: str
    client: str


class Lists(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="stoa.network.lists"):
    """Who is let in from now on, for every server; with the certificates of the one whom they are granted to."""

    chain: str
    access: str
    pins: str
    code: str = ""
    ca: str = ""
    server: str = ""
    client: str = ""


Paper = Request | Lists


def read_paper(path: Path) -> Paper:
    """A file of the ceremony. Raises BadPaper and OSError."""
    raw = path.read_bytes()
    try:
        if len(raw) > MAX_BYTES:
            raise BadPaper(f"{path.name} is larger than any request or grant")
        return msgspec.json.decode(raw, type=Request | Lists)
    except msgspec.DecodeError as error:
        raise BadPaper(f"{path.name}: {error}") from None


def write_paper(paper: Paper, path: Path) -> None:
    """Write a file of the ceremony."""
    durable.write(path, msgspec.json.format(msgspec.json.encode(paper)) + b"\n")


def request(plan: Plan, member: Member, inner: Path, passphrase: Secret) -> Request:
    """Make new keys in the member's folder, beside those in use, and ask for certificates. Raises KeystoreError."""
    word = member_word(plan, member, inner, passphrase)
    server, client = new_key(), new_key()
    write_key(server, _next(inner, folders.SERVER))
    write_key(client, _next(inner, folders.CLIENT), word)
    return Request(plan.chain, member.code, _asked(server, member.code), _asked(client, member.code))


def granted(plan: Plan, folder: Path, asked: Request, passphrase: Secret) -> Lists:
    """Grant a member what it asks for, beside its old ones. Raises BadPaper, LookupError and KeystoreError."""
    if asked.chain != plan.chain:
        raise BadPaper(f"this is a request to the network {asked.chain}, not {plan.chain}")
    member = plan.member(asked.code)
    server, client = _public(asked.server), _public(asked.client)
    authority, register = Authority(folder, passphrase), Register(folder)
    made = grant(plan, member, authority, register.next_number(member.code), server, client)
    register.enter(made.issued)
    texts = [one.public_bytes(Encoding.PEM).decode() for one in (made.server, made.client)]
    return _lists(plan, register, member.code, authority.pem.decode(), *texts)


def retired(plan: Plan, folder: Path, code: str) -> Lists:
    """Shut out all numbers of a member but its newest."""
    register = Register(folder)
    register.shut_out(plan.member(code).code, "replaced", register.next_number(code) - 1)
    return lists_now(plan, folder)


def lists_now(plan: Plan, folder: Path) -> Lists:
    """Who is let in as the register of the authority has it."""
    return _lists(plan, Register(folder))


def install(plan: Plan, folder: Path, here: tuple[Member, ...], lists: Lists, passphrase: Secret | None) -> None:
    """Give the members here the lists, and the one whom they were granted to its certificates.

    Raises BadPaper and KeystoreError.
    """
    if lists.chain != plan.chain:
        raise BadPaper(f"these are lists of the network {lists.chain}, not {plan.chain}")
    for member in here:
        inner = folder / member.code
        durable.write(inner / folders.ACCESS_CONF, lists.access.encode())
        durable.write(inner / folders.PINS_CONF, lists.pins.encode())
        if member.code == lists.code and passphrase is not None:
            _take(inner, lists, member_word(plan, member, inner, passphrase))


def _take(inner: Path, lists: Lists, word: Secret) -> None:
    """Put the granted certificates and the keys that wait for them in the place of the old ones."""
    for stem, text, sealed in ((folders.SERVER, lists.server, None), (folders.CLIENT, lists.client, word)):
        path = _next(inner, stem)
        if not path.is_file():
            raise BadPaper(f"there is no {path}: the grant answers no request that was made here")
        key = load_pem_private_key(path.read_bytes(), sealed.reveal() if sealed else None)
        certificate = x509.load_pem_x509_certificate(text.encode())
        if not isinstance(key, PrivateKey) or key.public_key() != certificate.public_key():
            raise BadPaper(f"the grant does not fit the key in {path}: it answers another request")
        Pair(certificate, key).write(inner / folders.certificate(stem), inner / folders.key(stem), sealed)
    for stem in (folders.SERVER, folders.CLIENT):
        _next(inner, stem).unlink()


def _lists(plan: Plan, register: Register, *who: str) -> Lists:
    return Lists(plan.chain, access_conf(plan, register.active), pins_conf(register.active), *who)


def _next(inner: Path, stem: str) -> Path:
    path = inner / folders.key(stem)
    return path.with_name(NEXT + path.name)


def _asked(key: PrivateKey, code: str) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, code)])
    signed = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return signed.public_bytes(Encoding.PEM).decode()


def _public(text: str) -> PublicKey:
    """The public key that a request is about; its owner has signed it. Raises BadPaper."""
    try:
        asked = x509.load_pem_x509_csr(text.encode())
    except ValueError:
        raise BadPaper("the request holds no PKCS 10 request") from None
    public = asked.public_key()
    if not isinstance(public, PublicKey) or not asked.is_signature_valid:
        raise BadPaper("the request is not signed by its own key, or that is no key of P-256")
    return public
