"""The cast: the simulated institutions, their keys in a keystore, the accounts they open, and who signs for whom.

DEMONSTRATION ONLY. Every key is derived from a phrase that is printed below, so that the same story gives the same
state root on every machine. Anybody can sign for these accounts; nothing of value may ever be put on such a ledger.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

from stoa.api.opening import VOTING_PURPOSE
from stoa.custody.keystore import Keystore
from stoa.custody.sealing import Cost
from stoa.custody.secret import Secret
from stoa.demo.dossier import Dossier, Form
from stoa.kernel import signing
from stoa.kernel.codec import encode
from stoa.kernel.hashing import tagged
from stoa.kernel.identifiers import account_id
from stoa.ledger.catalog import Genesis
from stoa.wire.envelope import Envelope, Signature, transaction_id
from stoa.wire.forms import from_form

PHRASE: Final = b"stoa demonstration keys: never use them for anything"
PASSPHRASE: Final = "harbour-demo"
CHEAP: Final = Cost(passes=1, memory_kib=8_192, lanes=1)  # the phrase is public, so stretching it protects nobody
VALIDATOR, VAULT = "validator", "vault"  # keys of the house itself


class Cast:
    """Names of the story (an institution's code, an investor's id) and the accounts behind them, each 1 of 1."""

    def __init__(self, folder: Path, dossier: Dossier, others: Mapping[str, bytes] | None = None) -> None:
        """``others``: voting keys of further validators than that of the house, by institution."""
        self._others, self._now = dict(others or {}), dossier.terms.starts
        self.keystore = Keystore.create(folder / "keys.keystore", Secret(PASSPHRASE), CHEAP)
        self.accounts: dict[str, bytes] = {}
        self._institutions = dossier.terms.institutions
        self.add(VALIDATOR, VAULT, *(one.code for one in self._institutions))
        self.genesis = self._genesis(dossier)

    def _genesis(self, dossier: Dossier) -> Genesis:
        voting = self._others | {dossier.terms.validator: voting_key(self.keystore)}
        founders: list[Form] = [
            {
                "institution": one.code, "name": one.name, "country": one.country, "roles": list(one.roles),
                "party": party_number(one.code), "threshold": 1, "keys": [self.public(one.code).hex()],
                "validator": voting[one.code].hex() if one.code in voting else "",
            }
            for one in self._institutions
        ]  # fmt: skip
        parameters: list[Form] = [{"name": "batch_linger_ms", "value": 1}]
        form = {"chain": dossier.terms.chain, "time": dossier.terms.starts}
        return from_form(Genesis, form | {"founders": founders, "parameters": parameters})

    def add(self, *names: str) -> None:
        """Give each name a key of its own in the keystore, and the account that the key controls."""
        for name in names:
            key = self.keystore.import_secret(name, Secret(secret(name)), self._now)
            self.accounts[name] = key.account

    def public(self, name: str) -> bytes:
        """The public key of the name."""
        return self.keystore.key(name).public

    def sign(self, body: bytes, names: tuple[str, ...]) -> bytes:
        """The envelope of a body, signed for these names out of the keystore."""
        digest = transaction_id(body)
        signatures = [
            Signature(self.accounts[name], self.public(name), self.keystore.sign(name, digest)) for name in names
        ]
        return encode(Envelope(body, tuple(signatures)))

    def name_of(self, account: bytes) -> str:
        """The name behind an account, or an empty word."""
        return next((name for name, one in self.accounts.items() if one == account), "")


def keys_of_house(folder: Path, institution: str, now: int) -> Keystore:
    """The keystore of a validator's house that does not act: its own keys and its institution's."""
    keystore = Keystore.create(folder / "keys.keystore", Secret(PASSPHRASE), CHEAP)
    for name in (VALIDATOR, VAULT):
        keystore.import_secret(name, Secret(secret(f"{institution} {name}")), now)
    keystore.import_secret(institution, Secret(secret(institution)), now)
    return keystore


def voting_key(keystore: Keystore) -> bytes:
    """The public key that the house's validator votes with."""
    return signing.public_key(keystore.derived(VALIDATOR, VOTING_PURPOSE).reveal())


def secret(name: str) -> bytes:
    """The demonstration key of a name."""
    return sha256(PHRASE + b" / " + name.encode()).digest()


def stranger(name: str) -> bytes:
    """An account that nobody has opened."""
    return account_id(1, (signing.public_key(secret(name)),))


def party_number(name: str) -> int:
    """The demonstration's party number of a name. A real one is drawn at random by the vault."""
    return 1 + int.from_bytes(tagged("stoa.demo.party", PHRASE, name.encode())[:7], "big")
