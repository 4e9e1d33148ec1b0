"""Certificates of a network: its own authority, and for each institution one as a server and one as a client.

A client's certificate carries an identity with a number (``stoa://CHAIN/CODE/NUMBER``): servers let in the identities
of a list, so an old certificate is refused as soon as its number is off the list. Servers know one another by pinned
public keys, since a certificate of the authority alone must not make anybody a server. Does not own: the list, which is
made from the register (``register``), nor where files are put (``founding``, ``renewal``).
"""

import ipaddress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from stoa.custody import durable
from stoa.custody.keystore import Keystore
from stoa.custody.secret import Secret

PrivateKey = ec.EllipticCurvePrivateKey
PublicKey = ec.EllipticCurvePublicKey
AUTHORITY_DAYS: Final = 3_650
MEMBER_DAYS: Final = 365
EARLIER: Final = timedelta(days=1)  # machines whose clocks differ agree that it is valid already
KEYSTORE: Final = "keys.keystore"
KEY_NAME: Final = "authority"
CA_PEM: Final = "ca.pem"
CA_KEY: Final = "ca.key"
PURPOSE: Final = "stoa.network.authority"


class Pair(NamedTuple):
    """A certificate and its key, not yet written down."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def pem(self) -> bytes:
        """The certificate, for anybody."""
        return self.certificate.public_bytes(Encoding.PEM)

    def write(self, certificate: Path, key: Path, word: Secret | None = None) -> None:
        """Write both, the key for its owner alone and sealed under the word if there is one."""
        write_key(self.key, key, word)
        durable.write(certificate, self.pem)


def new_key() -> PrivateKey:
    """A new random key for a certificate."""
    return ec.generate_private_key(ec.SECP256R1())


def write_key(key: PrivateKey, path: Path, word: Secret | None = None) -> None:
    """Write a key for its owner alone, sealed under the word if there is one."""
    sealed = NoEncryption() if word is None else BestAvailableEncryption(word.reveal())
    durable.write(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed))


def pin(public: PublicKey) -> str:
    """The SHA-256 of a public key, as servers pin it."""
    return sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def identity(chain: str, code: str, number: int) -> str:
    """The name by which servers know a client's certificate."""
    return f"stoa://{chain}/{code}/{number}"


class Authority:
    """The network's own authority, opened. Its key lies sealed beside its certificate."""

    def __init__(self, folder: Path, passphrase: Secret) -> None:
        """Open it. Raises KeystoreError and FileNotFoundError."""
        word = _word(Keystore(folder / KEYSTORE, passphrase))
        key = load_pem_private_key((folder / CA_KEY).read_bytes(), word.reveal())
        if not isinstance(key, PrivateKey):
            raise TypeError(f"{CA_KEY} is no key of this authority")
        self._own = Pair(x509.load_pem_x509_certificate((folder / CA_PEM).read_bytes()), key)

    @classmethod
    def create(cls, folder: Path, chain: str, passphrase: Secret, now: int) -> "Authority":
        """Make a new authority in a new folder. Raises KeystoreError."""
        keystore = Keystore.create(folder / KEYSTORE, passphrase)
        keystore.generate(KEY_NAME, now)
        key, name = new_key(), _name(chain, "authority")
        made = _draft(name, name, key.public_key(), AUTHORITY_DAYS).add_extension(
            x509.BasicConstraints(True, 0), critical=True
        )
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        signed = made.add_extension(usage, critical=True).sign(key, hashes.SHA256())
        Pair(signed, key).write(folder / CA_PEM, folder / CA_KEY, _word(keystore))
        return cls(folder, passphrase)

    @property
    def pem(self) -> bytes:
        """The authority's certificate, which every member trusts."""
        return self._own.pem

    def sign(self, data: bytes) -> bytes:
        """Its signature of what it says, for ``signed_by``."""
        return self._own.key.sign(data, ec.ECDSA(hashes.SHA256()))

    def server(self, chain: str, code: str, hosts: tuple[str, ...], public: PublicKey) -> x509.Certificate:
        """A certificate for an institution's ordering server, at these hosts; to other servers it is a client."""
        names: list[x509.GeneralName] = [_host(host) for host in dict.fromkeys(hosts)]
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        return self._issue(_name(chain, f"{code} server"), names, uses, public)

    def client(self, chain: str, code: str, number: int, public: PublicKey) -> x509.Certificate:
        """A certificate for an institution's validator, under this number."""
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(identity(chain, code, number))]
        return self._issue(_name(chain, f"{code} {number}"), names, [ExtendedKeyUsageOID.CLIENT_AUTH], public)

    def _issue(
        self,
        name: x509.Name,
        names: list[x509.GeneralName],
        uses: list[x509.ObjectIdentifier],
        public: PublicKey,
    ) -> x509.Certificate:
        made = _draft(name, self._own.certificate.subject, public, MEMBER_DAYS)
        made = made.add_extension(x509.BasicConstraints(False, None), critical=True)
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        made = made.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._own.key.public_key())
        return made.add_extension(signer, critical=False).sign(self._own.key, hashes.SHA256())


def signed_by(ca: bytes, data: bytes, signature: bytes) -> bool:
    """Whether the authority of this certificate (PEM) signed the data."""
    try:
        public = x509.load_pem_x509_certificate(ca).public_key()
        if not isinstance(public, PublicKey):
            return False
        public.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except (ValueError, InvalidSignature):
        return False
    return True


def _word(keystore: Keystore) -> Secret:
    return Secret(keystore.derived(KEY_NAME, PURPOSE).reveal().hex())


def _name(chain: str, what: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, chain), x509.NameAttribute(NameOID.COMMON_NAME, what)]
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _draft(subject: x509.Name, issuer: x509.Name, public: PublicKey, days: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    made = made.serial_number(x509.random_serial_number())
    made = made.not_valid_before(now - EARLIER).not_valid_after(now + timedelta(days=days))
    return made.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
