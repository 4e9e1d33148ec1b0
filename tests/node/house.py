"""A real node in a folder, its disk and LMDB real too, with short words to act on it."""

from pathlib import Path

from msgspec.structs import replace

from stoa.intake.gate import Accepted
from stoa.kernel.base import Instruction
from stoa.ledger.assets.register_cash import RegisterCash
from stoa.ledger.catalog import Body, Receipt, checked_body, read_receipt
from stoa.ledger.compliance.attest import Attest
from stoa.ledger.genesis import Parameter
from stoa.ledger.governance.model import BATCH_LINGER_MS
from stoa.ledger.identity.open_account import OpenAccount
from stoa.ledger.identity.register_party import RegisterParty
from stoa.ledger.settlement.issue import Issue
from stoa.node.finality import Validator
from stoa.node.found import found
from stoa.node.node import JOURNAL_FOLDER, STATE_FOLDER, Node
from stoa.wire.envelope import sign_body
from tests.ledger.hall import CASH_TERMS, CHAIN, START, Hall, account, public, secret
from tests.node.script import VALIDATOR

PATIENCE = 20.0  # seconds; what takes so long has failed
DAY = 86_400_000


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


class House:
    """A founded ledger and the node that runs on it."""

    def __init__(self, folder: Path, chain: str = CHAIN, **parameters: int) -> None:
        self.folder, self.chain, self.clock = folder, chain, Clock()
        quick = tuple(Parameter(name, value) for name, value in {BATCH_LINGER_MS: 1, **parameters}.items())
        found(folder, replace(Hall(checked=False).genesis, chain=chain, parameters=quick))
        self.node = self.open()

    @property
    def journal_folder(self) -> Path:
        return self.folder / JOURNAL_FOLDER

    @property
    def state_folder(self) -> Path:
        return self.folder / STATE_FOLDER

    def open(self, validator: Validator = VALIDATOR, **settings: int) -> Node:
        """A node on the folder, not started."""
        self.node = Node(self.folder, validator, clock=self.clock, **settings)  # type: ignore[arg-type]
        return self.node

    def reopen(self) -> Node:
        """Close the node and open another, not started."""
        self.node.close()
        return self.open()

    def signed(self, signer: str, *instructions: Instruction, sequence: int = 0) -> bytes:
        """An envelope with the next sequence, or the given one."""
        who = account(signer)
        number = sequence or self.node.next_sequence(who, 0)
        body = checked_body(Body(self.chain, who, 0, number, self.clock() + DAY // 2, instructions))
        return sign_body(body, [(who, secret(signer))])

    def send(self, raw: bytes) -> bytes:
        """Submit; returns the transaction's id."""
        accepted = self.node.submit(raw)
        assert isinstance(accepted, Accepted), accepted
        return accepted.transaction

    def receipt(self, transaction: bytes) -> Receipt:
        """The final receipt."""
        located = self.node.wait(transaction, PATIENCE)
        assert located is not None, self.node.health()
        return read_receipt(located.receipt)

    def do(self, signer: str, *instructions: Instruction) -> Receipt:
        """Submit and wait; must be applied."""
        receipt = self.receipt(self.send(self.signed(signer, *instructions)))
        assert receipt.rejection is None, receipt.rejection
        return receipt

    def party(self, number: int) -> Receipt:
        """The cheapest act there is: one more party."""
        return self.do("BROKER-A", RegisterParty(1_000 + number, False, "BROKER-A"))

    def cash_for(self, name: str, units: int = 1_000) -> Receipt:
        """A person with cash: four blocks."""
        self.do("BANK", RegisterCash("USD", "BANK", "USD deposit", "USD", 2, CASH_TERMS))
        opening = OpenAccount(77, "BROKER-A", 1, (public(name),))
        self.do("BROKER-A", RegisterParty(77, False, "BROKER-A"), opening)
        self.do("IDP", Attest(77, "identity", "IDP", "KR", self.clock() + 3_650 * DAY))
        return self.do("BANK", Issue("USD", account(name), units, 0, 0))

    def root(self) -> bytes:
        """Over the rows as they are on disk."""
        return self.node.checkpoint().state_root
