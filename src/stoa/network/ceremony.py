"""Certificates between hosts that share no secret: requests go to the authority, a grant comes back, lists go to all.

The institution makes its keys itself and sends what they sign; the authority answers with certificates, with the lists
that every server reads, and with the plan. Files must come by a way that is trusted: the authority's operator makes
sure who asks. Old numbers stay let in until they are retired. Does not own: the files' form (``papers``), nor who
becomes a member and who is one no more (``admission``).
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
from stoa.network.founding import Granted, grant, member_word
from stoa.network.growing import tell_all
from stoa.network.papers import Application, BadPaper, Lists, Request, Welcome, require_sealed, sealed
from stoa.network.plan import Member, Plan, parse_plan, plan_text
from stoa.network.register import Register
from stoa.network.server_conf import access_conf, pins_conf
from stoa.node.node import wall_clock

NEXT: Final = "next-"  # before the name of a key that has no certificate yet


def request(plan: Plan, member: Member, inner: Path, passphrase: Secret) -> Request:
    """Make new keys in the member's folder, beside those in use, and ask for certificates. Raises KeystoreError."""
    word = member_word(plan, member, inner, passphrase)
    server, client = new_key(), new_key()
    write_key(server, _next(inner, folders.SERVER))
    write_key(client, _next(inner, folders.CLIENT), word)
    return Request(plan.chain, member.code, _asked(server, member.code), _asked(client, member.code))


class Office:
    """The authority at its place, opened: what it writes is signed, and on its register first."""

    def __init__(self, folder: Path, passphrase: Secret) -> None:
        """``folder`` is the authority's own. Raises KeystoreError."""
        self.register, self._authority = Register(folder), Authority(folder, passphrase)

    def certified(self, plan: Plan, member: Member, asked: Request | Application) -> Granted:
        """A member's new certificates, beside its old ones. Raises BadPaper."""
        server, client = _public(asked.server), _public(asked.client)
        made = grant(plan, member, self._authority, self.register.next_number(member.code), server, client)
        self.register.enter(made.issued)
        return made

    def lists(self, plan: Plan, made: Granted | None = None, welcome: Welcome | None = None) -> Lists:
        """Who is let in as the register has it, and the plan; with certificates, and a welcome, for whom they are."""
        active = self.register.active
        now = Lists(plan.chain, wall_clock(), access_conf(plan, active), pins_conf(active), plan_text(plan))
        if made is not None:
            server, client = (one.public_bytes(Encoding.PEM).decode() for one in (made.server, made.client))
            code, ca = made.issued.code, self._authority.pem.decode()
            now = msgspec.structs.replace(now, code=code, ca=ca, server=server, client=client, welcome=welcome)
        return sealed(now, self._authority)


def granted(plan: Plan, folder: Path, asked: Request, passphrase: Secret) -> Lists:
    """Grant a member what it asks for. Raises BadPaper, LookupError and KeystoreError."""
    if asked.chain != plan.chain:
        raise BadPaper(f"this is a request to the network {asked.chain}, not {plan.chain}")
    office = Office(folder, passphrase)
    return office.lists(plan, office.certified(plan, plan.member(asked.code), asked))


def retired(plan: Plan, folder: Path, code: str, passphrase: Secret) -> Lists:
    """Shut out all numbers of a member but its newest. Raises LookupError and KeystoreError."""
    office = Office(folder, passphrase)
    office.register.shut_out(plan.member(code).code, "replaced", office.register.next_number(code) - 1)
    return office.lists(plan)


def lists_now(plan: Plan, folder: Path, passphrase: Secret) -> Lists:
    """Who is let in as the register of the authority has it. Raises KeystoreError."""
    return Office(folder, passphrase).lists(plan)


def members_here(folder: Path, plan: Plan) -> tuple[Member, ...]:
    """The members of a plan whose houses are in the folder, and let in."""
    return tuple(one for one in plan.members if (folder / one.code / folders.PLAN).is_file())


def plan_of(lists: Lists) -> Plan:
    """The plan that lists bring. Raises BadPaper and BadFile."""
    plan = parse_plan("the plan in the lists", lists.plan)
    if plan.chain != lists.chain:
        raise BadPaper(f"these are lists of the network {lists.chain} with a plan of {plan.chain}")
    return plan


def install(chain: str, folder: Path, here: tuple[Member, ...], lists: Lists, passphrase: Secret | None) -> None:
    """Give the members here the lists and the plan, and the one whom they were granted to its certificates.

    Raises BadPaper, BadFile and KeystoreError, and has changed nothing then.
    """
    if lists.chain != chain:
        raise BadPaper(f"these are lists of the network {lists.chain}, not {chain}")
    plan = plan_of(lists)
    for member in here:
        require_sealed(lists, (folder / member.code / folders.CA).read_bytes())
    mine = [one for one in here if one.code == lists.code] if passphrase is not None else []
    for member in mine:
        assert passphrase is not None
        inner = folder / member.code
        take(inner, lists, member_word(plan, member, inner, passphrase))
    newer = [one for one in here if lists.made >= installed(folder / one.code)]
    if not newer and not mine:
        raise BadPaper("these lists are older than those that are installed here")
    for member in newer:
        put_lists(folder / member.code, lists)
    if len(newer) == len(here):
        tell_all(plan, folder)


def installed(inner: Path) -> int:
    """When the newest lists that were installed in a house were made; 0 for none."""
    path = inner / folders.INSTALLED
    return int(path.read_text(encoding="utf-8")) if path.is_file() else 0


def put_lists(inner: Path, lists: Lists) -> None:
    """Write the lists where the house's server reads them."""
    durable.write(inner / folders.ACCESS_CONF, lists.access.encode())
    durable.write(inner / folders.PINS_CONF, lists.pins.encode())
    durable.write(inner / folders.INSTALLED, str(lists.made).encode())


def take(inner: Path, lists: Lists, word: Secret) -> None:
    """Put the granted certificates and the keys that wait for them in the place of the old ones. Raises BadPaper.

    Where none waits any more, the grant is for the keys in use: it was taken before, or is given once more.
    """
    pairs = []
    for stem, text, sealing in ((folders.SERVER, lists.server, None), (folders.CLIENT, lists.client, word)):
        waiting, used = _next(inner, stem), inner / folders.key(stem)
        path = waiting if waiting.is_file() else used
        if not path.is_file():
            raise BadPaper(f"there is no {waiting}: the grant answers no request that was made here")
        key = load_pem_private_key(path.read_bytes(), sealing.reveal() if sealing else None)
        certificate = x509.load_pem_x509_certificate(text.encode())
        if not isinstance(key, PrivateKey) or key.public_key() != certificate.public_key():
            raise BadPaper(f"the grant does not fit the key in {path}: it answers another request")
        pairs.append((stem, Pair(certificate, key), sealing))
    for stem, pair, sealing in pairs:
        pair.write(inner / folders.certificate(stem), inner / folders.key(stem), sealing)
    for stem, _, _ in pairs:
        _next(inner, stem).unlink(missing_ok=True)


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
