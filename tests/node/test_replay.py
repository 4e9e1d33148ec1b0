"""Replay that takes signatures on the word of a quorum: the same rows, nothing trusted that was not certified."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from stoa.journal import Journal
from stoa.kernel.base import Broken
from stoa.kernel.codec import encode
from stoa.ledger import machine
from stoa.ledger.catalog import read_receipt
from stoa.ledger.errors import SignatureInvalid
from stoa.ledger.identity.register_party import RegisterParty
from stoa.ledger.state import State
from stoa.node.recovery import found_state
from stoa.node.replay import Kept, Replay, standing_at
from stoa.node.state_store import StateStore, reading
from stoa.ordering.engine import Ordered
from stoa.wire.batch import BatchBody, sign_batch
from stoa.wire.block import Block
from stoa.wire.envelope import Envelope, read_envelope
from stoa.wire.vote import Certificate
from tests.node.house import House
from tests.node.script import VALIDATOR

Spoil = Callable[[Block, Certificate], Kept]


def unsigned(raw: bytes) -> bytes:
    """The envelope with a signature that does not verify."""
    envelope = read_envelope(raw)
    return encode(Envelope(envelope.body, (replace(envelope.signatures[0], signature=b"\1" * 64),)))


def commit(house: House, *envelopes: bytes) -> None:
    """One block of these, past the gate."""
    loop = house.node._commit
    number = loop.produced.get("KSD", 0) + 1
    body = BatchBody(house.chain, "KSD", number, house.clock(), envelopes)
    house.node._round.ordered(Ordered(number, house.clock(), encode(sign_batch(body, VALIDATOR.secret))))
    assert loop.head.number == number


@pytest.fixture
def lived(house: House) -> House:
    """Three blocks: an act, one that was refused for its signature beside another, an act."""

    def act(number: int, sequence: int) -> bytes:
        return house.signed("BROKER-A", RegisterParty(number, False, "BROKER-A"), sequence=sequence)

    commit(house, act(1, 1))
    commit(house, unsigned(act(2, 2)), act(3, 2))
    commit(house, act(4, 3))
    house.node.close()
    return house


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bodies of all envelopes whose signatures the ledger checks."""
    seen: list[bytes] = []
    real = machine.signatures_valid

    def checking(envelope: Envelope, transaction: bytes) -> bool:
        seen.append(envelope.body)
        return real(envelope, transaction)

    monkeypatch.setattr(machine, "signatures_valid", checking)
    return seen


def replayed(house: House, spoil: Spoil = lambda block, certificate: (block, certificate)) -> dict[bytes, bytes]:
    """The rows after a replay that trusts certificates, its last block spoilt."""
    with Journal.open(house.journal_folder, readonly=True) as journal, closing(fresh(house.folder)) as store:
        view = State(store)
        header, writes = found_state(view, journal.genesis)
        store.write(writes.rows, standing_at(header, {}))
        view.finalised()

        def kept() -> Iterator[Kept]:
            for block, certificate in journal.replay():
                assert certificate is not None
                last = block.header.height == journal.height
                yield spoil(block, certificate) if last else (block, certificate)

        assert [made.height for made in Replay(view, store, header, {}).run(kept(), None)] == [1, 2, 3]
        return dict(store.scan(b"\1"))


def fresh(folder: Path) -> StateStore:
    return StateStore(folder / "again")


def rows(house: House) -> dict[bytes, bytes]:
    with reading(house.state_folder) as kept:
        return dict(kept.scan(b"\1"))


def test_certified_blocks_are_not_verified_again(lived: House, checked: list[bytes]) -> None:
    """But for the one in which a signature was refused: its receipts cannot be had without."""
    with Journal.open(lived.journal_folder, readonly=True) as journal:
        assert isinstance(read_receipt(journal.block(2).receipts[0]).rejection, SignatureInvalid)
        bodies = [read_envelope(raw).body for raw in journal.block(2).envelopes]
    assert replayed(lived) == rows(lived)
    assert checked == bodies


def without(block: Block, certificate: Certificate) -> Kept:
    return block, None


def with_a_vote_that_nobody_cast(block: Block, certificate: Certificate) -> Kept:
    return block, replace(certificate, votes=(replace(certificate.votes[0], signature=b"\1" * 64),))


def with_no_votes(block: Block, certificate: Certificate) -> Kept:
    return block, replace(certificate, votes=())


def of_another_block(block: Block, certificate: Certificate) -> Kept:
    return block, replace(certificate, height=certificate.height - 1, block_hash=block.header.previous)


@pytest.mark.parametrize("spoil", [without, with_a_vote_that_nobody_cast, with_no_votes, of_another_block])
def test_what_no_quorum_vouches_for_is_verified(lived: House, checked: list[bytes], spoil: Spoil) -> None:
    before = len(checked)
    assert replayed(lived, spoil) == rows(lived)
    assert len(checked) - before == 2 + 1


def test_a_certificate_vouches_for_the_signatures_too(lived: House) -> None:
    """Another envelope around the same body would give the same receipts, if its signatures were taken on trust."""

    def resigned(block: Block, certificate: Certificate) -> Kept:
        return replace(block, envelopes=tuple(map(unsigned, block.envelopes))), certificate

    with pytest.raises(Broken, match="replay of block 3 gives other receipts"):
        replayed(lived, resigned)
