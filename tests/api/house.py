"""A small house for tests: a real node on a real disk, views, custody with users, and the API over them.

Keys are those of ``tests.ledger.hall``. Kim and Lee are customers of BROKER-A whose keys the house keeps; Park signs at
home. HBT is a security of AGENT and KSD with a unit price of 100.00 USD.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from litestar import Litestar
from msgspec.structs import replace

from stoa.api.app import create_app
from stoa.api.limits import Rate
from stoa.api.projector import Projector
from stoa.api.services import Services
from stoa.custody import policy
from stoa.custody.keystore import Keystore
from stoa.custody.requests import Requests
from stoa.custody.sealing import Cost
from stoa.custody.secret import Secret
from stoa.custody.sessions import Sessions
from stoa.custody.signer import Signer
from stoa.custody.users import Users
from stoa.custody.vault import MASTER_PURPOSE, Vault
from stoa.intake.gate import Accepted
from stoa.kernel import signing
from stoa.kernel.base import Instruction
from stoa.kernel.time import DAY
from stoa.ledger.assets.create_security import CreateSecurity
from stoa.ledger.assets.model import ClassTerms, Issuer
from stoa.ledger.assets.register_cash import RegisterCash
from stoa.ledger.catalog import Body, Receipt, checked_body, read_receipt
from stoa.ledger.compliance.attest import Attest
from stoa.ledger.compliance.model import Terms
from stoa.ledger.identity.open_account import OpenAccount
from stoa.ledger.identity.register_party import RegisterParty
from stoa.ledger.settlement.issue import Issue
from stoa.node.finality import Validator
from stoa.node.found import found
from stoa.node.node import Node, wall_clock
from stoa.readmodel.views import Views
from stoa.wire.envelope import sign_body
from tests.ledger.hall import ANY_HOLDER, CASH_TERMS, DOCUMENTS, TRUST, Hall, account, public, secret
from tests.node.puppets import Puppets

CHAIN = "test"
PASSWORD = "correct horse battery"
AUDIENCE = "test-door"
CHEAP = Cost(passes=1, memory_kib=8, lanes=1)
PEOPLE = {"kim": 1_001, "lee": 1_002, "park": 1_003}
CUSTODIED = ("kim", "lee")
RULES = """
[[grant]]
id = "small"
roles = ["investor"]
accounts = ["linked"]
instructions = ["settlement.transfer.v1", "offerings.*"]
limits = [{ asset = "HBT", per_transaction = 50, per_day = 200 }]

[[grant]]
id = "large"
roles = ["investor"]
accounts = ["linked"]
instructions = ["settlement.transfer.v1"]
limits = [{ asset = "HBT", per_transaction = 500, per_day = 1000 }]
approvals = 1
approvers = ["officer"]
"""


class House:
    """Open with a folder, close at the end."""

    puppets: Puppets | None = None

    def __init__(self, folder: Path, others: Sequence[str] = ()) -> None:
        """``others`` validate beside KSD, as puppets that vote as it does."""
        keys = {name: secret(f"{name} votes") for name in others}
        self.puppets = Puppets(CHAIN, keys) if others else None
        public_keys = {name: signing.public_key(key) for name, key in keys.items()} | {"KSD": public("validator")}
        founders = tuple(
            replace(one, validator=public_keys.get(one.institution, b"")) for one in Hall().genesis.founders
        )
        found(folder, replace(Hall().genesis, time=wall_clock(), founders=founders))
        self.folder = folder
        self.open()
        self._populate()

    def open(self) -> None:
        """Start everything on what is in the folder."""
        custody = self.folder / "custody"
        links = self.puppets.links(wall_clock) if self.puppets else None
        self.node = Node(self.folder, Validator("KSD", secret("validator")), links=links)
        self.views = Views.open(self.folder / "views.sqlite")
        self.projector = Projector(self.node.journal, self.views)
        self.users = Users(custody / "users", CHEAP)
        passphrase = Secret("a long enough passphrase")
        keys = custody / "broker.keys"
        self.keystore = Keystore(keys, passphrase) if keys.exists() else Keystore.create(keys, passphrase, CHEAP)
        if not self.keystore.listing():
            self.keystore.generate("vault", wall_clock())
            for name in CUSTODIED:
                self.keystore.import_secret(name, Secret(secret(name)), wall_clock())
        self.signer = Signer(self.keystore, policy.parse(RULES), custody / "audit", self.users.actor)
        self.vault = Vault(custody / "vault", self.keystore.derived("vault", MASTER_PURPOSE))
        self.services = Services(
            self.node, self.views, self.projector, self.users, Sessions(self.users.engine),
            Requests(self.users.engine, AUDIENCE), self.signer, self.vault,
        )  # fmt: skip
        self.node.start()
        self.projector.start()

    def close(self) -> None:
        """Stop everything, in the order of the house."""
        self.projector.close()
        self.node.close()
        self.views.close()
        self.signer.close()
        self.vault.close()
        self.users.close()

    def app(self, rate: Rate | None = None) -> Litestar:
        """The API over this house."""
        return create_app(self.services, rate=rate)

    def _populate(self) -> None:
        now = wall_clock()
        self.do("BANK", RegisterCash("USD", "BANK", "USD deposit", "USD", 2, CASH_TERMS))
        for name, party in PEOPLE.items():
            self.do(
                "BROKER-A", RegisterParty(party, False, "BROKER-A"), OpenAccount(party, "BROKER-A", 1, (public(name),))
            )
            until = now + 365 * DAY
            self.do(
                "IDP", Attest(party, "identity", "IDP", "KR", until), Attest(party, "category", "IDP", "retail", until)
            )
        issuer = Issuer("Harbour Tower SPC", "US", "")
        terms = Terms(TRUST, ("KR",), (ANY_HOLDER,))
        classes = (ClassTerms("", "Units", 10**12),)
        create = CreateSecurity(
            "HBT",
            "Harbour Tower",
            "property share",
            issuer,
            "AGENT",
            "KSD",
            "USD",
            10_000,
            "",
            DOCUMENTS,
            classes,
            terms,
        )
        self.do(("AGENT", "KSD"), create, *(Issue("HBT", account(name), 10_000, 0, 0) for name in PEOPLE))
        for name in CUSTODIED:
            self.user(name, ("investor",), (account(name),), PEOPLE[name])
        self.user("officer", ("officer",), ())
        for code in ("KSD", "BROKER-A", "BROKER-B", "AGENT", "FSS"):
            self.user(code.lower(), ("clerk",), (account(code),))

    def user(self, name: str, roles: tuple[str, ...], accounts: tuple[bytes, ...], party: int | None = None) -> None:
        """A user of the doors, with an API key of his own."""
        self.users.add(name, Secret(PASSWORD), wall_clock(), roles=roles, accounts=accounts, party=party)
        self.users.add_key(name, public(f"api {name}"), "test", wall_clock())

    def body(
        self, author: str, *instructions: Instruction, lane: int = 0, sequence: int = 0, life: int = 60_000
    ) -> bytes:
        """A body with the next sequence of the author's lane."""
        who = account(author)
        number = sequence or self.node.next_sequence(who, lane)
        return checked_body(Body(CHAIN, who, lane, number, wall_clock() + life, instructions))

    def signed(
        self, signers: str | tuple[str, ...], *instructions: Instruction, lane: int = 0, sequence: int = 0
    ) -> bytes:
        """An envelope; the first signer is the author."""
        names = (signers,) if isinstance(signers, str) else signers
        body = self.body(names[0], *instructions, lane=lane, sequence=sequence)
        return sign_body(body, [(account(name), secret(name)) for name in names])

    def do(self, signers: str | tuple[str, ...], *instructions: Instruction) -> Receipt:
        """A transaction that is expected to be applied, final and in the views."""
        answer = self.node.submit(self.signed(signers, *instructions))
        assert isinstance(answer, Accepted), answer
        located = self.node.wait(answer.transaction, 10)
        assert located is not None
        assert self.projector.reached(located.height, 10)
        receipt = read_receipt(located.receipt)
        assert receipt.applied, receipt.rejection
        return receipt
