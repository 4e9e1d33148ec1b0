"""The full check of a journal: every byte, every hash, every signature, and where it is wrong.

``inspect`` reads the files by itself, changes nothing and trusts no hint. It goes on after damage from the next whole
record, so that one report names all of it. Does not own: executing the blocks again, and so what the receipts say,
the genesis document's hash and the state's root.
"""

from pathlib import Path
from typing import Final, NamedTuple

from stoa.journal import segment
from stoa.journal.chain import Chain
from stoa.journal.disk import REAL_DISK, Disk, read_part
from stoa.journal.faults import Damage, NoJournal
from stoa.journal.flaws import Authorities, Authority
from stoa.journal.payloads import passed_on
from stoa.journal.record import MARKER_BYTES, Kind, Record, Unreadable, next_whole, unpack
from stoa.journal.segment import BadHead, Mark, Outline, Row, name_of, outline_name
from stoa.wire.block import Header

MAX_DAMAGES: Final = 1_000  # kept in one report; all are counted


class Report(NamedTuple):
    """What a full check found. ``head`` is the last whole block's header, None when not even genesis is whole."""

    damages: tuple[Damage, ...]
    found: int  # how many damages there are; at most MAX_DAMAGES of them are kept
    head: Header | None
    certified: int  # greatest height with a certificate
    blocks: int  # at as many heights; see ``replaced``
    replaced: int  # blocks in whose place another one came before anything certified them; their records are still here
    dropped: int  # of these blocks so many are here without their body: what it held was not checked
    transactions: int  # in all of these blocks, by their headers
    certificates: int
    checkpoints: int
    size: int  # bytes of all segments

    @property
    def ok(self) -> bool:
        """Whether nothing at all is wrong."""
        return not self.found


def inspect(
    folder: Path,
    authority: Authority | Authorities | None = None,
    expected_head: Header | None = None,
    disk: Disk = REAL_DISK,
) -> Report:
    """Check everything. Without an authority signatures are left out.

    A journal that was cut at the end of a record looks whole; that is only seen against the mark, or against an
    ``expected_head`` that somebody kept: its block must be there, and with an authority a certificate must cover it.
    A journal after a crash may end in a half record until it is opened for writing; that is reported as well.
    Raises NoJournal.
    """
    firsts = segment.segments_in(disk, folder)
    if not firsts:
        raise NoJournal(f"{folder} holds no journal")
    walk = _Walk(disk, folder, Chain(expected_head.chain if expected_head else None, authority))
    for first in firsts:
        walk.segment(first, full=first != firsts[-1])
    walk.finish(expected_head)
    return walk.report()


class _Walk:
    """One pass over all segments."""

    def __init__(self, disk: Disk, folder: Path, chain: Chain) -> None:
        self._disk, self._folder, self._chain = disk, folder, chain
        self._names = frozenset(disk.names(folder))
        self._damages: list[Damage] = []
        self._found = 0
        self._checksum: int | None = 0  # of the record before, None after damage
        self._end = Mark(0, 0)  # of the segment at hand
        self._size = 0

    def segment(self, first: int, full: bool) -> None:
        """Check one segment and its outline."""
        data = read_part(self._disk, self._folder / name_of(first))
        self._end = Mark(first, len(data))
        self._size += len(data)
        before = self._found
        marker = self._head(first, data)
        rows = self._records(data, marker)
        if outline_name(first) not in self._names:
            return
        if not full:
            self._note(len(data), self._chain.height + 1, "end", "it was full, and the segment after it is missing")
        elif before == self._found:
            self._outline(Outline(first, marker, len(data), self._checksum or 0, rows))

    def finish(self, expected: Header | None) -> None:
        """Compare the end with the mark, and with the head that was expected."""
        chain, offset = self._chain, self._end.offset
        if not self._found and not chain.seen[Kind.GENESIS]:
            self._note(offset, 0, "genesis", "it is missing")
        mark = segment.read_mark(self._disk, self._folder)
        if mark is None and segment.MARK_NAME in self._names:
            self._keep(Damage(segment.MARK_NAME, 0, chain.height, "mark", "it cannot be read; it may be deleted"))
        claimed = segment.believed(self._disk, self._folder, mark, self._end.first)
        if claimed and claimed > self._end:
            why = f"it ends here, and was synced up to byte {claimed.offset} of {name_of(claimed.first)}"
            self._note(offset, chain.height + 1, "end", why)
        if expected is None:
            return
        if expected.height > chain.height:
            self._note(offset, chain.height + 1, "end", f"it ends here, and block {expected.height} is expected")
        elif chain.hash_at(expected.height) not in (None, expected.hash()):
            self._note(offset, expected.height, "hash", f"the block is not the expected {expected.hash().hex()}")
        elif chain.authority_at(expected.height) and chain.certified < expected.height:
            self._note(offset, expected.height, "certificate", "it ends here, and no certificate covers the block")

    def report(self) -> Report:
        """The result."""
        chain = self._chain
        return Report(
            damages=tuple(self._damages),
            found=self._found,
            head=chain.head,
            certified=chain.certified,
            blocks=chain.seen[Kind.BLOCK] + chain.seen[Kind.DROPPED] - chain.replaced,
            dropped=chain.dropped,
            replaced=chain.replaced,
            transactions=chain.transactions,
            certificates=chain.seen[Kind.CERTIFICATE],
            checkpoints=chain.seen[Kind.CHECKPOINT],
            size=self._size,
        )

    def _head(self, first: int, data: bytes) -> bytes:
        """Check the file's head, and return its marker; of a damaged head the one that its first record starts with."""
        try:
            head = segment.read_head(data)
        except BadHead as bad:
            self._note(0, first, "head", str(bad))
            self._checksum = None
            return data[segment.HEAD_BYTES : segment.HEAD_BYTES + MARKER_BYTES]
        chain = self._chain
        if chain.name not in (None, head.chain):
            self._note(0, first, "chain", f"it is {head.chain!r}, and {chain.name!r} is expected")
        if head.first != first or self._checksum not in (None, head.previous):
            self._note(0, first, "previous", "the segment does not follow the one before it")
        chain.name, self._checksum = head.chain, head.checksum
        return head.marker

    def _records(self, data: bytes, marker: bytes) -> list[Row]:
        """Check all records, and return the rows of the whole ones."""
        at, rows = min(segment.HEAD_BYTES, len(data)), []
        while at < len(data):
            try:
                record = unpack(data, at, marker)
            except Unreadable as flaw:
                after = next_whole(data, at + 1, marker) if marker else None
                at = after.start if after else len(data)
                height, field = self._chain.lost(flaw, data[flaw.offset : at])
                self._note(flaw.offset, height, field, flaw.why)
                self._checksum = None
                continue
            self._record(record)
            rows.append((int(record.kind), record.height, record.start))
            at = record.end
        return rows

    def _record(self, record: Record) -> None:
        if self._checksum not in (None, record.previous):
            self._note(record.start, record.height, "previous", "the record does not follow the one before it")
        for field, why in self._chain.flaws(record):
            self._note(record.start, record.height, field, why)
        self._checksum = passed_on(record)

    def _outline(self, outline: Outline) -> None:
        """An outline is compared byte for byte with the one that the segment's records give. One of another marker is
        of the segment before it was written anew, or after; nobody uses it.
        """
        name = outline_name(outline.first)
        kept = segment.read_outline(self._disk, self._folder, outline.first)
        if (kept is None or kept.marker == outline.marker) and read_part(
            self._disk, self._folder / name
        ) != outline.pack():
            why = "it does not match its segment; it may be deleted"
            self._keep(Damage(name, 0, outline.first, "outline", why))

    def _note(self, offset: int, height: int, field: str, why: str) -> None:
        self._keep(Damage(name_of(self._end.first), offset, height, field, why))

    def _keep(self, damage: Damage) -> None:
        self._found += 1
        if len(self._damages) < MAX_DAMAGES:
            self._damages.append(damage)
