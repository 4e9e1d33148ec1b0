"""`inspect` finds and locates every flipped byte and every cut, and what a forger with right checksums changed."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec
import pytest

from stoa.journal import Authority, Damaged, Journal, NoJournal, inspect
from stoa.journal.flaws import checkpoint_flaws
from stoa.journal.record import MARKER_BYTES, Kind, pack, scan
from stoa.journal.segment import HEAD_BYTES as FILE_HEAD_BYTES
from stoa.journal.segment import Head, read_head
from stoa.kernel import merkle
from stoa.kernel.codec import encode
from stoa.wire.block import Block, Header
from stoa.wire.vote import Certificate
from tests.journal.blocks import (
    AUTHORITY,
    CHAIN,
    GENESIS,
    GENESIS_HEADER,
    blocks,
    certificate_for,
    checkpoint_for,
    next_block,
    votes_for,
)
from tests.journal.simulated_disk import SimulatedDisk

FOLDER = Path("journal")
COUNT = 6
REPLACED = 5
RIVAL = next_block(blocks(REPLACED - 1)[-1].header, Random(99))
LAST = blocks(COUNT)[-1].header


def written(disk: SimulatedDisk) -> SimulatedDisk:
    """A journal of three segments, closed. Another fifth block was there first."""
    journal = Journal.create(FOLDER, GENESIS, GENESIS_HEADER, disk, segment_bytes=1_400)
    for block in blocks(COUNT):
        if block.header.height == REPLACED:
            journal.append(RIVAL, votes_for(RIVAL.header))
            journal.sync()
        journal.append(block, votes_for(block.header))
        if block.header.height == 2:
            journal.checkpoint(checkpoint_for(block.header))
        journal.sync()
        journal.certify(certificate_for(block.header))
    journal.close()
    return disk


@pytest.fixture(scope="module")
def disk() -> SimulatedDisk:
    return written(SimulatedDisk())


def heights_by_byte(data: bytes) -> list[int]:
    """For each byte of a segment the height of the block that it belongs to."""
    head = read_head(data)
    heights = [head.first] * FILE_HEAD_BYTES
    for record in scan(data[FILE_HEAD_BYTES:], head.marker, head.checksum, FILE_HEAD_BYTES):
        heights += [record.height] * (record.end - record.start)
    return heights


@pytest.mark.parametrize(("kept", "spoiled", "flaws"), [(1, 0, 0), (3, 0, 0), (3, 1, 1), (1, 1, 1), (0, 0, 1)])
def test_a_checkpoint_is_the_word_of_those_who_signed_it(kept: int, spoiled: int, flaws: int) -> None:
    """A validator keeps its own signature alone, and need not wait for a quorum; whose is no signature, is damage."""
    header = blocks(1)[0].header
    checkpoint = checkpoint_for(header)
    votes = tuple(
        msgspec.structs.replace(vote, signature=bytes(64)) if number < spoiled else vote
        for number, vote in enumerate(checkpoint.votes[:kept])
    )
    signed = msgspec.structs.replace(checkpoint, votes=votes)
    assert len(list(checkpoint_flaws(CHAIN, header.hash(), signed, AUTHORITY))) == flaws


def test_a_whole_journal_is_reported_with_its_figures(disk: SimulatedDisk) -> None:
    report = inspect(FOLDER, AUTHORITY, LAST, disk)
    assert report.ok
    assert (report.head, report.certified, report.blocks, report.certificates) == (LAST, COUNT, COUNT, COUNT)
    assert report.replaced == 1
    assert (report.checkpoints, report.transactions) == (1, sum(len(block.envelopes) for block in blocks(COUNT)))
    names = [name for name in disk.names(FOLDER) if name.endswith(".journal")]
    assert len(names) == 3
    assert report.size == sum(len(disk.content(FOLDER / name)) for name in names)


def test_every_flipped_byte_of_every_file_is_found_and_located(disk: SimulatedDisk) -> None:
    flipped = 0
    for name in disk.names(FOLDER):
        path = FOLDER / name
        data = disk.content(path)
        heights = heights_by_byte(data) if name.endswith(".journal") else []
        for offset in range(len(data)):
            mask = 1 << offset % 8 if offset % 3 else 0xFF
            disk.flip(path, offset, mask)
            report = inspect(FOLDER, disk=disk)
            disk.flip(path, offset, mask)
            assert report.damages, f"{name} byte {offset}"
            first = report.damages[0]
            assert first.segment == name
            assert first.offset <= offset
            if heights:
                assert first.height == heights[offset], f"{name} byte {offset}: {first}"
                assert {damage.height for damage in report.damages} == {heights[offset]}, "and nothing else is blamed"
            flipped += 1
    assert flipped > 4_000
    assert inspect(FOLDER, AUTHORITY, LAST, disk).ok


def test_no_flipped_byte_is_ever_read(disk: SimulatedDisk) -> None:
    """Opened for reading, a journal with a flipped byte gives what was written or says Damaged."""
    expected = [(block, certificate_for(block.header)) for block in blocks(COUNT)]
    for name in disk.names(FOLDER):
        path, outcomes = FOLDER / name, set[str]()
        for offset in range(0, len(disk.content(path)), 7):
            disk.flip(path, offset, 0x10)
            try:
                journal = Journal.open(FOLDER, disk, readonly=True)
                whole = list(journal.replay()) == expected and journal.genesis == GENESIS
                outcomes.add("whole" if whole else "different")
            except Damaged:
                outcomes.add("damaged")
            disk.flip(path, offset, 0x10)
        assert outcomes <= ({"damaged", "whole"} if name.endswith(".journal") else {"whole"}), name


@pytest.mark.parametrize("with_hints", [True, False])
def test_every_cut_is_found(with_hints: bool) -> None:
    disk = written(SimulatedDisk())
    if not with_hints:
        for name in disk.names(FOLDER):
            if not name.endswith(".journal"):
                disk.delete(FOLDER / name)
    for name in reversed(disk.names(FOLDER)):
        if not name.endswith(".journal"):
            continue
        data, heights = disk.content(FOLDER / name), heights_by_byte(disk.content(FOLDER / name))
        for size in range(len(data) - 1, -1, -5 if with_hints else -1):
            disk.cut(FOLDER / name, size)
            report = inspect(FOLDER, AUTHORITY, LAST, disk)
            assert report.damages, f"{name} cut to {size}"
            assert report.damages[0].height <= heights[size] + 1
        disk.delete(FOLDER / name)
        if disk.names(FOLDER) and any(left.endswith(".journal") for left in disk.names(FOLDER)):
            assert not inspect(FOLDER, AUTHORITY, LAST, disk).ok, f"{name} is missing"
    with pytest.raises(NoJournal):
        inspect(FOLDER, AUTHORITY, LAST, disk)


def test_a_segment_missing_in_the_middle_is_found(disk: SimulatedDisk) -> None:
    copy = written(SimulatedDisk())
    names = [name for name in copy.names(FOLDER) if name.endswith(".journal")]
    copy.delete(FOLDER / names[1])
    damage = inspect(FOLDER, disk=copy).damages[0]
    assert (damage.segment, damage.field) == (names[2], "previous")
    with pytest.raises(Damaged, match="does not follow"):
        Journal.open(FOLDER, copy)


def test_damage_in_many_places_is_all_reported(disk: SimulatedDisk) -> None:
    copy = written(SimulatedDisk())
    for name in copy.names(FOLDER):
        if name.endswith(".journal"):
            copy.flip(FOLDER / name, len(copy.content(FOLDER / name)) - 3, 0xFF)
    report = inspect(FOLDER, disk=copy)
    assert len({damage.segment for damage in report.damages}) == 3
    assert report.found == len(report.damages) == 3


def test_the_field_is_named_when_the_payload_can_still_be_read() -> None:
    disk = written(SimulatedDisk())
    path = FOLDER / "000000000001.journal"
    block = blocks(1)[0]
    for part, field in ((block.envelopes[0], "envelopes_root"), (block.receipts[0], "receipts_root")):
        at = disk.content(path).index(part)
        disk.flip(path, at, 1)
        assert [damage.field for damage in inspect(FOLDER, disk=disk).damages] == [f"payload.{field}"]
        disk.flip(path, at, 1)


# ---- a forger who makes the checksums right again

Change = Callable[[Block], Block]


def header_with(block: Block, **fields: object) -> Block:
    kept = {name: getattr(block.header, name) for name in Header.__struct_fields__}
    return Block(Header(**kept | fields), block.batch_signature, block.envelopes, block.receipts)


def envelopes_with(block: Block, envelopes: tuple[bytes, ...], mend: bool) -> Block:
    changed = Block(block.header, block.batch_signature, envelopes, block.receipts)
    return header_with(changed, envelopes_root=merkle.root(envelopes), count=len(envelopes)) if mend else changed


FORGERIES: dict[str, Change] = {
    "envelopes_root": lambda block: envelopes_with(block, (b"forged",) * block.header.count, mend=False),
    "count": lambda block: envelopes_with(block, (*block.envelopes, b"one more"), mend=False),
    "receipts_root": lambda block: Block(block.header, block.batch_signature, block.envelopes, (b"forged",)),
    "batch_signature": lambda block: envelopes_with(block, (b"forged",), mend=True),
    "time": lambda block: header_with(block, time=0),
    "height": lambda block: header_with(block, height=7),
    "chain": lambda block: header_with(block, chain="other"),
    "previous": lambda block: header_with(block, previous=bytes(32)),
    "producer": lambda block: header_with(block, producer="STRANGER"),
    "block_hash": lambda block: header_with(block, writes_hash=bytes(32)),
    "votes": lambda block: header_with(block, writes_hash=bytes(32)),
}


def forged(
    change: Change, certificate: Certificate | None = None, second: Block | None = None, late: bool = False
) -> SimulatedDisk:
    """A journal with right checksums whose fourth block was changed, or the fourth certificate.

    A ``second`` fourth block comes right behind the first, or ``late``, behind its certificate.
    """
    disk, marker = SimulatedDisk(), bytes(range(MARKER_BYTES))
    head = Head(CHAIN, 1, 0, marker)
    data, checksum = head.pack(), head.checksum
    entries: list[tuple[Kind, int, bytes]] = [(Kind.GENESIS, 0, encode((GENESIS, GENESIS_HEADER)))]
    for block in blocks(COUNT):
        height = block.header.height
        kept = change(block) if height == 4 else block
        entries.append((Kind.BLOCK, height, encode((kept, votes_for(block.header)))))
        own = certificate_for(block.header)
        if second and height == 4 + late:
            entries.append((Kind.BLOCK, 4, encode((second, ()))))
        entries.append((Kind.CERTIFICATE, height, encode(certificate if certificate and height == 4 else own)))
    for kind, height, payload in entries:
        top, checksum = pack(marker, kind, height, 0, checksum, payload)
        data += top + payload
    disk.open(FOLDER / "000000000001.journal", write=True).write(0, data)
    return disk


def test_what_was_not_forged_is_in_order() -> None:
    assert inspect(FOLDER, AUTHORITY, LAST, forged(lambda block: block)).ok


@pytest.mark.parametrize("field", FORGERIES)
def test_a_forged_block_is_found_by_its_field(field: str) -> None:
    damages = inspect(FOLDER, AUTHORITY, disk=forged(FORGERIES[field])).damages
    assert (4, field) in [(damage.height, damage.field) for damage in damages]
    assert {damage.height for damage in damages} <= {4, 5}, "the block and the hash chain after it"


def test_a_block_in_another_ones_place_must_follow_the_one_before_it() -> None:
    right = next_block(blocks(3)[-1].header, Random(7))
    for second, found in (
        (right, []),
        (header_with(right, previous=bytes(32)), [(4, "previous")]),
        (header_with(right, time=0), [(4, "time")]),
    ):
        damages = inspect(FOLDER, disk=forged(lambda block: block, second=second)).damages
        # the certificate and the blocks that follow are the first one's, so they contradict whatever took its place
        expected = [*found, (4, "block_hash"), (5, "previous")]
        assert [(damage.height, damage.field) for damage in damages] == expected


def test_a_certified_block_is_not_replaced_without_a_trace() -> None:
    disk = forged(lambda block: block, second=next_block(blocks(3)[-1].header, Random(7)), late=True)
    damages = inspect(FOLDER, AUTHORITY, disk=disk).damages
    assert (4, "height") in [(damage.height, damage.field) for damage in damages]
    with pytest.raises(Damaged, match="cannot follow"):
        Journal.open(FOLDER, disk)


def test_a_certificate_needs_its_quorum_of_known_keys() -> None:
    header = blocks(COUNT)[3].header
    for validators, ok in ((("BANK",), False), (("BANK", "REGISTRAR"), True), (("BANK", "BANK"), False)):
        disk = forged(lambda block: block, certificate_for(header, validators))
        damages = inspect(FOLDER, AUTHORITY, disk=disk).damages
        assert [(damage.height, damage.field) for damage in damages] == ([] if ok else [(4, "votes")])


def test_the_authority_may_change_with_the_height() -> None:
    disk = written(SimulatedDisk())
    later = Authority(AUTHORITY.producers, {}, 1)
    report = inspect(FOLDER, lambda height: AUTHORITY if height < 5 else later, disk=disk)
    assert {(damage.height, damage.field) for damage in report.damages} == {(5, "votes"), (6, "votes")}


def test_another_head_than_the_expected_one_is_found() -> None:
    disk = written(SimulatedDisk())
    third = blocks(COUNT)[2].header
    assert inspect(FOLDER, AUTHORITY, third, disk).ok, "the head that somebody kept may be an older one"
    fields = {name: getattr(third, name) for name in third.__struct_fields__}
    damages = inspect(FOLDER, AUTHORITY, Header(**fields | {"time": 5}), disk).damages
    assert [(damage.height, damage.field) for damage in damages] == [(3, "hash")]
