"""What is appended comes back; what does not belong is refused; readers see what is synced, and final facts only."""

from pathlib import Path
from random import Random
from threading import Thread

import pytest

from stoa.journal import Damaged, Journal, NoJournal, NotNext, Occupied, inspect
from stoa.kernel.codec import encode
from stoa.wire.block import Block, Header
from stoa.wire.vote import sign_vote
from tests.journal.blocks import (
    AUTHORITY,
    CHAIN,
    GENESIS,
    GENESIS_HEADER,
    SECRETS,
    blocks,
    certificate_for,
    checkpoint_for,
    next_block,
    votes_for,
)

SMALL = 1_500  # bytes of a segment, so that a few blocks fill it


def altered(header: Header, **fields: object) -> Header:
    """The header with other fields."""
    return Header(**{name: getattr(header, name) for name in header.__struct_fields__} | fields)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.create(tmp_path / "journal", GENESIS, GENESIS_HEADER, segment_bytes=SMALL)


def fill(journal: Journal, count: int) -> None:
    """Append, sync and certify so many blocks, with a checkpoint after each fifth."""
    for block in blocks(count):
        journal.append(block, votes_for(block.header))
        journal.sync()
        journal.certify(certificate_for(block.header))
        if block.header.height % 5 == 0:
            journal.checkpoint(checkpoint_for(block.header))


def test_an_empty_journal_has_genesis_alone(journal: Journal) -> None:
    assert (journal.genesis, journal.head, journal.height, journal.final) == (GENESIS, GENESIS_HEADER, 0, 0)
    assert list(journal.replay()) == []
    assert journal.latest_checkpoint() is None
    with pytest.raises(LookupError):
        journal.block(1)
    with pytest.raises(LookupError):
        journal.header(-1)


def test_everything_comes_back_after_closing(journal: Journal, tmp_path: Path) -> None:
    fill(journal, 23)
    journal.close()
    expected = blocks(23)
    assert len(list((tmp_path / "journal").glob("*.journal"))) > 3
    for again in (Journal.open(tmp_path / "journal"), Journal.open(tmp_path / "journal", readonly=True)):
        assert [block for block, _ in again.replay()] == expected
        assert [block.header.height for block, _ in again.replay(7, 9)] == [7, 8, 9]
        assert [found for _, found in again.replay()] == [certificate_for(block.header) for block in expected]
        assert [again.header(block.header.height) for block in expected] == [block.header for block in expected]
        assert [again.votes(h) for h in (1, 23)] == [votes_for(expected[h - 1].header) for h in (1, 23)]
        assert [one.height for one in again.checkpoints()] == [5, 10, 15, 20]
        assert again.latest_checkpoint() == checkpoint_for(expected[19].header)
        assert again.latest_checkpoint(at_or_below=19) == checkpoint_for(expected[14].header)
        assert again.latest_checkpoint(at_or_below=4) is None
        assert (again.head, again.final, again.synced, again.trimmed) == (expected[-1].header, 23, 23, 0)
    assert inspect(tmp_path / "journal", AUTHORITY, expected[-1].header).ok


def test_hints_may_be_deleted(journal: Journal, tmp_path: Path) -> None:
    fill(journal, 23)
    journal.close()
    hints = [path for path in (tmp_path / "journal").iterdir() if path.suffix in (".outline", ".mark")]
    before = {path.name: path.read_bytes() for path in hints}
    assert len(hints) > 3
    for path in hints:
        path.unlink()
    Journal.open(tmp_path / "journal").close()
    assert {path.name: path.read_bytes() for path in hints} == before


def test_a_journal_appended_to_again_is_one_chain(journal: Journal, tmp_path: Path) -> None:
    for at, block in enumerate(blocks(12)):
        journal.append(block, votes_for(block.header))
        if at % 3 == 0:
            journal.close()
            journal = Journal.open(tmp_path / "journal", segment_bytes=SMALL)
    journal.close()
    assert inspect(tmp_path / "journal", AUTHORITY, blocks(12)[-1].header).damages[0].field == "certificate"
    assert inspect(tmp_path / "journal", AUTHORITY).ok


def test_a_block_that_does_not_follow_is_refused(journal: Journal) -> None:
    first, second = blocks(2)
    with pytest.raises(NotNext):
        journal.append(second)
    journal.append(first)
    for fields in ({"previous": bytes(32)}, {"chain": "other"}, {"height": 3}, {"time": first.header.time - 1}):
        with pytest.raises(NotNext):
            journal.append(type(second)(altered(second.header, **fields), b"", (), ()))
    journal.append(second)
    assert journal.height == 2


def test_a_certificate_must_be_of_a_block_that_is_there(journal: Journal) -> None:
    first, second = blocks(2)
    other = next_block(GENESIS_HEADER, Random(99))
    journal.append(first)
    for wrong in (second.header, other.header, GENESIS_HEADER):
        with pytest.raises(NotNext):
            journal.certify(certificate_for(wrong))
    with pytest.raises(NotNext):
        journal.checkpoint(checkpoint_for(other.header))
    journal.certify(certificate_for(first.header))
    journal.certify(certificate_for(first.header, ("BANK", "BROKER", "REGISTRAR")))
    assert journal.certificate(1) == certificate_for(first.header), "the first one stays"
    assert journal.certificate(2) is None


def test_one_process_writes(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(Occupied):
        Journal.open(tmp_path / "journal")
    journal.close()
    with pytest.raises(Occupied):
        Journal.create(tmp_path / "journal", GENESIS, GENESIS_HEADER)
    with pytest.raises(NoJournal):
        Journal.open(tmp_path / "elsewhere")
    with pytest.raises(NoJournal):
        Journal.open(tmp_path, readonly=True)
    with pytest.raises(NoJournal):
        inspect(tmp_path)
    with pytest.raises(ValueError, match="reading only"):
        Journal.open(tmp_path / "journal", readonly=True).append(blocks(1)[0])


def test_a_reader_sees_synced_blocks_and_certificates_at_once(journal: Journal, tmp_path: Path) -> None:
    reader = Journal.open(tmp_path / "journal", readonly=True)
    for block in blocks(40):
        height = block.header.height
        journal.append(block)
        assert (journal.height, journal.synced) == (height, height - 1)
        assert (reader.refresh(), reader.height) == (height - 1, height - 1), "not yet synced"
        journal.sync()
        assert (reader.refresh(), reader.height) == (height - 1, height), "synced, not final"
        journal.certify(certificate_for(block.header))
        assert reader.refresh() == journal.final == height
        assert reader.certificate(height) == journal.certificate(height)
    assert [block for block, _ in reader.replay()] == blocks(40)


def test_a_reader_does_not_take_half_a_record(journal: Journal, tmp_path: Path) -> None:
    fill(journal, 2)
    reader = Journal.open(tmp_path / "journal", readonly=True)
    block = blocks(3)[2]
    journal.append(block)
    journal.sync()
    journal.certify(certificate_for(block.header))
    path = max((tmp_path / "journal").glob("*.journal"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    assert (reader.refresh(), reader.height) == (2, 3)
    path.write_bytes(whole)
    assert reader.refresh() == 3


@pytest.mark.parametrize("other_process", [False, True])
def test_a_follower_gets_final_blocks_in_order(journal: Journal, tmp_path: Path, other_process: bool) -> None:
    source = Journal.open(tmp_path / "journal", readonly=True) if other_process else journal
    seen: list[int] = []
    follower = Thread(target=lambda: seen.extend(block.header.height for block, _ in source.follow(3, idle=5)))
    follower.start()
    fill(journal, 20)
    assert source.wait(20, timeout=5)
    assert not source.wait(21, timeout=0.01)
    while len(seen) < 18 and follower.is_alive():
        follower.join(0.01)
    source.close()
    follower.join(5)
    assert seen == list(range(3, 21))
    assert not follower.is_alive(), "closing lets whoever waits go"


def test_a_certificate_covers_the_blocks_before_it(journal: Journal) -> None:
    for block in blocks(3):
        journal.append(block)
    journal.certify(certificate_for(blocks(3)[2].header))
    assert journal.final == 0, "nothing is synced"
    journal.sync()
    assert journal.final == 3
    assert [(block.header.height, found is None) for block, found in journal.follow(idle=0.01)] == [
        (1, True),
        (2, True),
        (3, False),
    ]


def test_a_read_checks_what_it_reads(journal: Journal, tmp_path: Path) -> None:
    fill(journal, 20)
    path = tmp_path / "journal" / "000000000001.journal"
    data = bytearray(path.read_bytes())
    at = data.index(encode(blocks(1)[0]))
    data[at + 50] ^= 1
    path.write_bytes(data)
    journal.close()
    again = Journal.open(tmp_path / "journal")  # its outline spares it reading the full segment
    with pytest.raises(Damaged, match="block 1, payload"):
        again.block(1)
    assert again.block(20) == blocks(20)[19]
    again.close()
    data[data.index(GENESIS)] ^= 1
    path.write_bytes(data)
    for _ in range(2):  # the first attempt lets go of the lock
        with pytest.raises(Damaged, match="block 0, payload"):
            Journal.open(tmp_path / "journal")


def test_a_genesis_larger_than_a_segment_keeps_its_place(tmp_path: Path) -> None:
    with Journal.create(tmp_path / "journal", bytes(5_000), GENESIS_HEADER, segment_bytes=1_000) as journal:
        for block in blocks(3):
            journal.append(block)
    with Journal.open(tmp_path / "journal", readonly=True) as again:
        assert (again.genesis, again.height) == (bytes(5_000), 3)


# ---- another block in the tail's place


def rivals(height: int) -> tuple[Block, Block]:
    """Two different blocks of this height after the same one."""
    block = blocks(height)[-1]
    before = blocks(height - 1)[-1].header if height > 1 else GENESIS_HEADER
    return block, next_block(before, Random(99), transactions=3)


def test_the_tail_is_replaced_until_a_certificate_covers_it(journal: Journal, tmp_path: Path) -> None:
    fill(journal, 4)
    first, second = rivals(5)
    for block in (first, second, first):
        journal.append(block, votes_for(block.header))
        assert (journal.height, journal.head, journal.block(5)) == (5, block.header, block)
        assert (journal.synced, journal.final) == (4, 4), "what replaces a synced block is not yet synced"
        journal.sync()
        assert (journal.synced, journal.final) == (5, 4)
    with pytest.raises(NotNext):
        journal.certify(certificate_for(second.header))
    with pytest.raises(NotNext):
        journal.append(next_block(second.header, Random(1)))
    journal.certify(certificate_for(first.header))
    with pytest.raises(NotNext, match="block 5 is certified"):
        journal.append(second)
    journal.close()
    for again in (Journal.open(tmp_path / "journal"), Journal.open(tmp_path / "journal", readonly=True)):
        assert (again.head, again.final, again.block(5)) == (first.header, 5, first)
        assert again.tail_votes() == tuple(vote for block in (first, second, first) for vote in votes_for(block.header))
    report = inspect(tmp_path / "journal", AUTHORITY, first.header)
    assert report.ok, report.damages
    transactions = sum(len(block.envelopes) for block in blocks(5))
    assert (report.blocks, report.replaced, report.transactions) == (5, 2, transactions)


def test_the_same_block_is_kept_again_with_a_later_vote(journal: Journal) -> None:
    block = blocks(1)[0]
    header = block.header
    later = sign_vote(CHAIN, 1, header.hash(), "BANK", SECRETS["BANK"], epoch=2)
    journal.append(block, votes_for(header))
    journal.append(block, (later,))
    assert (journal.votes(1), journal.tail_votes()) == ((later,), (*votes_for(header), later))
    journal.append(blocks(2)[1])
    assert journal.tail_votes() == (), "those of the last height alone"


def test_what_replaces_the_tail_must_follow_the_block_before(journal: Journal) -> None:
    fill(journal, 3)
    _, other = rivals(4)
    journal.append(blocks(4)[3])
    for fields in ({"previous": bytes(32)}, {"chain": "other"}, {"time": 0}):
        with pytest.raises(NotNext):
            journal.append(type(other)(altered(other.header, **fields), b"", (), ()))
    journal.checkpoint(checkpoint_for(journal.head))
    with pytest.raises(NotNext, match="block 4"):
        journal.append(other)
    with pytest.raises(NotNext):
        journal.append(rivals(3)[1])


def test_a_tail_replaced_at_every_height_of_many_segments(journal: Journal, tmp_path: Path) -> None:
    """Also where the tail is the last block of a full segment, and with and without the outlines."""
    folder, random, kept = tmp_path / "journal", Random(3), list[Block]()
    reader = Journal.open(folder, readonly=True)
    for height in range(1, 31):
        for _ in range(random.randint(0, 2)):
            journal.append(next_block(journal.header(height - 1), random))
            journal.sync()
            assert reader.refresh() == height - 1
            assert reader.head == journal.head, "a reader knows the new tail"
        unsynced = next_block(journal.header(height - 1), random)
        journal.append(unsynced, votes_for(unsynced.header))
        reader.refresh()
        assert reader.height < height or reader.block(height) != unsynced, "and not what may yet be lost"
        journal.sync()
        journal.certify(certificate_for(unsynced.header))
        kept.append(unsynced)
        assert reader.refresh() == height
    journal.close()
    assert inspect(folder, AUTHORITY, kept[-1].header).ok
    assert len(list(folder.glob("*.journal"))) > 5
    for delete in (False, True):
        for hint in folder.glob("*.outline" if delete else "nothing"):
            hint.unlink()
        with Journal.open(folder, readonly=True) as again:
            assert [block for block, _ in again.replay()] == kept
    assert [block for block, _ in reader.replay()] == kept
