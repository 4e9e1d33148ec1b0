"""A change of members seen from the node: each block's batch, votes and certificate by the members of its height."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from stoa.journal.journal import Journal
from stoa.kernel.base import Instruction, Rejection
from stoa.kernel.codec import Malformed
from stoa.ledger.catalog import Body, Receipt, checked_body, read_receipt
from stoa.ledger.genesis import Genesis, Parameter, encode_genesis
from stoa.ledger.governance.members import Members, members_at
from stoa.ledger.governance.model import Change, RotateVotingKey
from stoa.ledger.governance.propose import Propose
from stoa.ledger.identity.register_party import RegisterParty
from stoa.node.details import BatchNotSigned
from stoa.node.finality import Validator
from stoa.node.found import found
from stoa.node.node import JOURNAL_FOLDER, STATE_FOLDER, Node, wall_clock
from stoa.node.verify import verify
from stoa.wire.envelope import sign_body
from stoa.wire.vote import certificate_valid
from tests.ledger.hall import CHAIN, Hall, account, public, secret
from tests.ledger.senate import admit

MINUTE = 60_000
SECONDS = 5.0
OLD, NEW = Validator("KSD", secret("KSD votes")), Validator("KSD", secret("new"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found(tmp_path, replace(Hall().genesis, time=wall_clock()))
    return tmp_path


@pytest.fixture
def running(folder: Path) -> Iterator[Node]:
    node = Node(folder, OLD)
    node.start()
    yield node
    node.close()


def send(node: Node, *instructions: Instruction) -> bytes:
    """Submit as KSD. Returns the transaction's id."""
    author = account("KSD")
    body = Body(CHAIN, author, 0, node.next_sequence(author, 0), wall_clock() + MINUTE, instructions)
    accepted = node.submit(sign_body(checked_body(body), [(author, secret("KSD"))]))
    assert not isinstance(accepted, Rejection)
    return accepted.transaction


def final(node: Node, *instructions: Instruction) -> Receipt:
    """Submit as KSD and wait for the receipt."""
    located = node.wait(send(node, *instructions), SECONDS)
    assert located is not None, node.health()
    receipt = read_receipt(located.receipt)
    assert receipt.rejection is None
    return receipt


def party(number: int) -> RegisterParty:
    return RegisterParty(1_000 + number, False, "KSD")


def enacted(node: Node, change: Change) -> int:
    """Let the change take effect, two blocks on. Returns the height."""
    height = node.health().height + 2
    final(node, Propose("KSD", change, height, wall_clock() + MINUTE, "as discussed"))
    assert final(node, party(height)).height == height
    return height


def then(node: Node, height: int) -> Members:
    with node.reader() as view:
        return members_at(view, height)


def certified(folder: Path, height: int, who: Members) -> bool:
    with Journal.open(folder / JOURNAL_FOLDER, readonly=True) as journal:
        certificate = journal.certificate(height)
    return certificate is not None and certificate_valid(CHAIN, certificate, who.keys, who.quorum)


def test_after_its_key_was_rotated_a_validator_goes_on_with_the_new_one(folder: Path, running: Node) -> None:
    height = enacted(running, RotateVotingKey("KSD", public("new")))
    assert running.wait(send(running, party(7)), 0.5) is None, "a block was made with the old key"
    assert running.skipped[-1].why == BatchNotSigned()
    assert running.health().height == height
    running.close()

    renewed = Node(folder, NEW)
    renewed.start()
    receipt = final(renewed, party(7))
    old, new = then(renewed, height), then(renewed, height + 1)
    renewed.close()
    assert receipt.height == height + 1
    assert (old.keys, new.keys) == ({"KSD": public("KSD votes")}, {"KSD": public("new")})
    assert certified(folder, height, old)
    assert certified(folder, height + 1, new)
    assert not certified(folder, height + 1, old)
    assert verify(folder / JOURNAL_FOLDER, folder / STATE_FOLDER).flaws == ()


def test_the_block_that_admits_a_member_needs_no_vote_of_it(folder: Path, running: Node) -> None:
    height = enacted(running, admit("FSS"))
    assert certified(folder, height, then(running, height))
    assert running.wait(send(running, party(7)), 0.5) is None, "final without the vote of the second member"
    running.close()
    assert not certified(folder, height + 1, Members({"KSD": public("KSD votes")}, 1))
    assert verify(folder / JOURNAL_FOLDER).flaws == ()


@pytest.mark.parametrize("change", [admit("FSS"), RotateVotingKey("KSD", public("new"))], ids=["admit", "rotate"])
def test_a_certificate_lost_in_a_crash_is_made_again_from_the_votes_of_its_block(
    folder: Path, running: Node, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    height = running.health().height + 2
    final(running, Propose("KSD", change, height, wall_clock() + MINUTE, "as discussed"))
    with monkeypatch.context() as patch:
        patch.setattr(running.journal, "certify", crash)
        assert running.wait(send(running, party(7)), SECONDS) is None
    assert "crashed here" in running.failure
    running.close()

    renewed = Node(folder, NEW)
    who = then(renewed, height)
    renewed.close()
    assert certified(folder, height, who)
    assert verify(folder / JOURNAL_FOLDER, folder / STATE_FOLDER).flaws == ()


def crash(*_: object) -> None:
    raise OSError("crashed here")


@pytest.mark.parametrize(
    ("genesis", "why"),
    [
        (replace(Hall().genesis, parameters=(Parameter("quorum", 2),)), "out of its bounds"),
        (replace(Hall().genesis, parameters=(Parameter("colour", 1),)), "unknown"),
        (Hall(validators=()).genesis, "1 to 64 validators"),
    ],
    ids=["out of bounds", "unknown", "nobody validates"],
)
def test_no_ledger_is_founded_that_nobody_could_govern(genesis: Genesis, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        encode_genesis(genesis)
