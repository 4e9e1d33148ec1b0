"""The journal: what a validator keeps of its ledger for good, and what everything else can be rebuilt from.

Owns: genesis, each block with the validator's own votes, certificates and checkpoints, and the feed of final blocks.
Promises: what was appended before a ``sync`` that returned is there after any crash; nothing is ever half there; what
is read was checked. Does not own: whether a block is right, who may vote, or the state.

One thread writes at a time (a lock sees to it), any thread reads, and other processes may read beside the writer.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import TIMEOUT_MAX, Condition, Lock
from typing import Final, Self, TypeVar

from stoa.journal.disk import REAL_DISK, Disk
from stoa.journal.faults import BodyDropped, Damaged, NotNext
from stoa.journal.log import READS, Decoders, Log, caught_up
from stoa.journal.payloads import (
    Dropped,
    Kept,
    Opening,
    read_certificate,
    read_checkpoint,
    read_dropped,
    read_dropped_header,
    read_kept,
    read_kept_header,
    read_opening,
)
from stoa.journal.record import Kind
from stoa.journal.rewriting import Rewriting
from stoa.journal.segment import SEGMENT_BYTES
from stoa.journal.writer import Writer, create
from stoa.kernel.codec import encode
from stoa.wire.block import Block, Header
from stoa.wire.vote import Certificate, Checkpoint, Vote

T = TypeVar("T")
Lender = Callable[[int], Block | None]

RECENT_HEADERS: Final = 256
POLL_SECONDS: Final = 0.05  # how often a reader of another process's journal looks for news while it waits

_BLOCKS: Final[Decoders[Kept | Dropped]] = {Kind.BLOCK: read_kept, Kind.DROPPED: read_dropped}
_HEADERS: Final[Decoders[Header]] = {Kind.BLOCK: read_kept_header, Kind.DROPPED: read_dropped_header}
_CERTIFICATES: Final[Decoders[Certificate]] = {Kind.CERTIFICATE: read_certificate}
_CHECKPOINTS: Final[Decoders[Checkpoint]] = {Kind.CHECKPOINT: read_checkpoint}


class Journal:
    """An open journal. Every method may raise Damaged, and Fatal once the disk has failed under a write."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._writing = Lock()  # taken before `_changed`, and held through a sync, which readers need not wait for
        self._changed = Condition()
        self._closed = False
        self.lender: Lender | None = None  # where bodies come from that are not kept here, already checked
        self._recent: OrderedDict[tuple[int, int], Header] = OrderedDict()  # by height and place: a tail may change
        opening = log.read(log.index.genesis, 0, {Kind.GENESIS: read_opening})
        self.genesis = opening.document
        self._genesis_header = opening.header
        self._synced = log.index.height

    @classmethod
    def create(
        cls,
        folder: Path,
        genesis: bytes,
        header: Header,
        disk: Disk = REAL_DISK,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> Self:
        """Start a journal with its genesis document and the header at height 0, synced, and open it for writing.

        Raises Occupied when the folder holds a journal, DiskFull, Fatal, and NotNext for a header of another height.
        """
        if header.height != 0:
            raise NotNext(f"genesis is at height 0, this header at {header.height}")
        create(folder, disk, header.chain, encode(Opening(genesis, header)))
        return cls.open(folder, disk, segment_bytes=segment_bytes)

    @classmethod
    def open(
        cls,
        folder: Path,
        disk: Disk = REAL_DISK,
        readonly: bool = False,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> Self:
        """Open a journal. For writing, a write that a crash cut short is trimmed and the rest made durable.

        Raises NoJournal, Occupied when another process writes to it, and Damaged for anything that no crash explains.
        """
        if readonly:
            return cls(caught_up(folder, disk))
        writer = Writer(folder, disk, segment_bytes)
        writer.open()
        try:
            return cls(writer)
        except Damaged:
            writer.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- what is there

    @property
    def log(self) -> Log:
        """The files behind it, for this room."""
        return self._log

    @property
    def chain(self) -> str:
        """The chain whose journal this is."""
        return self._genesis_header.chain

    @property
    def height(self) -> int:
        """Of the last block, 0 when there is only genesis. A writer counts unsynced blocks, a reader does not."""
        return self._log.index.height

    @property
    def synced(self) -> int:
        """The height up to which every block is on the disk for sure."""
        return self._synced

    @property
    def final(self) -> int:
        """The height of the last block that is synced here and that a certificate covers, its own or a later one."""
        return min(self._synced, self._log.index.certified)

    @property
    def head(self) -> Header:
        """The header of the last block, or genesis's."""
        return self.header(self.height)

    @property
    def trimmed(self) -> int:
        """How many bytes of a write cut short by a crash opening took away."""
        return self._log.trimmed if isinstance(self._log, Writer) else 0

    def header(self, height: int) -> Header:
        """The header at a height, 0 for genesis's. Raises LookupError."""
        if height == 0:
            return self._genesis_header
        with self._changed:
            if known := self._recent.get((height, self._block_place(height))):
                return known
            before = self._log, self._log.generation
        header, place = self._read(height, self._place_finder(height), _HEADERS)
        with self._changed:
            if (self._log, self._log.generation) == before:
                self._remember(place, header)
        return header

    def block(self, height: int) -> Block:
        """The block at a height from 1, lent by others if its body was dropped or damaged here. Raises LookupError, of
        which BodyDropped says that nobody lends it now."""
        try:
            return self.own_block(height)
        except (BodyDropped, Damaged):
            if self.lender is None or (lent := self.lender(height)) is None:
                raise
            return lent

    def own_block(self, height: int) -> Block:
        """The block, if its body is kept here. Raises LookupError, of which BodyDropped says that others keep it."""
        kept = self.kept(height)
        if isinstance(kept, Dropped):
            raise BodyDropped(height)
        return kept.block

    def votes(self, height: int) -> tuple[Vote, ...]:
        """The votes that were appended with the block. Raises LookupError."""
        return self.kept(height).votes

    def tail_votes(self) -> tuple[Vote, ...]:
        """All votes that were ever kept at the last block's height, oldest first: also those for the blocks that it
        replaced. A validator that starts again must not contradict them.
        """
        with self._changed:
            height, log = self.height, self._log
            places = [*log.index.replaced, *log.index.blocks[-1:]]
            kept = [log.read(place, height, _BLOCKS) for place in places]
        return tuple(vote for one in kept for vote in one.votes)

    def certificate(self, height: int) -> Certificate | None:
        """The certificate for the block, if it has been written."""
        try:
            return self._read(height, lambda: self._certificate_place(height), _CERTIFICATES)[0]
        except LookupError:
            return None

    def checkpoints(self) -> Iterator[Checkpoint]:
        """All checkpoints, in the order in which they were written."""
        for number, (height, _) in enumerate(list(self._log.index.checkpoints)):
            yield self._checkpoint(height, number)

    def latest_checkpoint(self, at_or_below: int | None = None) -> Checkpoint | None:
        """The checkpoint of the greatest height, at most the given one; of several at that height the last written."""
        with self._changed:
            rows = self._log.index.checkpoints
            known = [(row[0], at) for at, row in enumerate(rows) if at_or_below is None or row[0] <= at_or_below]
        return self._checkpoint(*max(known)) if known else None

    def replay(self, start: int = 1, last: int | None = None) -> Iterator[tuple[Block, Certificate | None]]:
        """The blocks from ``start`` to ``last`` (included; by default to the end), each with its own certificate.

        Raises BodyDropped at the first one whose body is not kept here and that nobody lends.
        """
        for height in range(start, (self.height if last is None else last) + 1):
            yield self.block(height), self.certificate(height)

    # ---- writing

    def append(self, block: Block, votes: tuple[Vote, ...] = ()) -> None:
        """Put the next block and this validator's votes for it at the end; durable after the next ``sync``.

        While no certificate or checkpoint covers the last block, one of its height may come in its place: another
        block, or the same one with other votes. The record of the one before stays in the file. After a crash before
        the sync the one or the other is there, whole.

        Raises NotNext when it does not follow the block before it, DiskFull (nothing of it is kept, try again with more
        room).
        """
        header, payload = block.header, encode(Kept(block, votes))
        with self._writing, self._changed:
            self._require_next(header)
            self.writer().write(Kind.BLOCK, header.height, payload)
            self._synced = min(self._synced, header.height - 1)
            self._remember(self._block_place(header.height), header)

    def certify(self, certificate: Certificate) -> None:
        """Keep the certificate of a block, once; durable after the next ``sync``. Raises NotNext, DiskFull."""
        with self._writing, self._changed:
            self._require_known(certificate.height, certificate.block_hash, lowest=1)
            if not self._log.index.certificate(certificate.height):
                self.writer().write(Kind.CERTIFICATE, certificate.height, encode(certificate))
            self._changed.notify_all()

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint of a block's state; durable after the next ``sync``. Raises NotNext, DiskFull."""
        with self._writing, self._changed:
            self._require_known(checkpoint.height, checkpoint.block_hash)
            self.writer().write(Kind.CHECKPOINT, checkpoint.height, encode(checkpoint))

    def sync(self) -> None:
        """Make everything appended durable. Raises Fatal when the disk fails; it is never tried again."""
        with self._writing:
            height = self.height
            self.writer().sync()
            with self._changed:
                self._synced = height
                self._changed.notify_all()

    # ---- the feed

    def refresh(self) -> int:
        """Take in what another process has written since, and return the height of the last final block."""
        if isinstance(self._log, Writer):
            return self.final
        with self._changed:
            if self._log.stale(last_only=True):
                self._open_again()
            try:
                self._log.refresh()
            except Damaged:
                if not self._log.stale():
                    raise
                self._open_again()
            self._synced = self._log.index.height
            return self.final

    def wait(self, height: int, timeout: float | None = None) -> bool:
        """Wait until the block is final; at most ``timeout`` seconds, or until the journal is closed."""
        until = time.monotonic() + (TIMEOUT_MAX if timeout is None else timeout)
        step = TIMEOUT_MAX if isinstance(self._log, Writer) else POLL_SECONDS
        with self._changed:
            while not self._closed and self.refresh() < height and (left := until - time.monotonic()) > 0:
                self._changed.wait(min(step, left))
            return not self._closed and self.final >= height

    def follow(self, start: int = 1, idle: float | None = None) -> Iterator[tuple[Block, Certificate | None]]:
        """The final blocks from ``start`` on, waiting for each; ends when the journal is closed, or when nothing has
        become final for ``idle`` seconds.
        """
        height = start
        while self.wait(height, idle):
            yield self.block(height), self.certificate(height)
            height += 1

    def close(self) -> None:
        """Sync what is not yet synced and close the files; whoever waits is let go. Raises Fatal."""
        with self._writing, self._changed:
            self._closed = True
            self._changed.notify_all()
            self._log.close()

    # ---- inside

    def _require_next(self, header: Header) -> None:
        if header.height == self.height > 0 and header.height <= self._log.index.settled:
            raise NotNext(f"block {header.height} is certified, and nothing can replace it")
        head = self.header(self.height - 1) if header.height == self.height > 0 else self.head
        if (header.chain, header.height, header.previous) != (head.chain, head.height + 1, head.hash()):
            raise NotNext(
                f"block {header.height} of {header.chain} does not follow block {head.height} of {head.chain}"
            )
        if header.time < head.time:
            raise NotNext(f"block {header.height} has time {header.time}, before {head.time} of the block before")

    def _require_known(self, height: int, block_hash: bytes, lowest: int = 0) -> None:
        if not lowest <= height <= self.height or self.header(height).hash() != block_hash:
            raise NotNext(f"block {height} with hash {block_hash.hex()} is not in this journal")

    def _remember(self, place: int, header: Header) -> None:
        self._recent[header.height, place] = header
        if len(self._recent) > RECENT_HEADERS:
            self._recent.popitem(last=False)

    def kept(self, height: int) -> Kept | Dropped:
        """What is kept of the block, for this room."""
        return self._read(height, self._place_finder(height), _BLOCKS)[0]

    def _checkpoint(self, height: int, number: int) -> Checkpoint:
        return self._read(height, lambda: self._log.index.checkpoints[number][1], _CHECKPOINTS)[0]

    def _read(self, height: int, find: Callable[[], int], decode: Decoders[T]) -> tuple[T, int]:
        """What a record holds, and its place. When its segment was written anew meanwhile, it is looked up again."""
        for left in reversed(range(READS)):
            with self._changed:
                log, generation, place = self._log, self._log.generation, find()
            try:
                return log.read(place, height, decode), place
            except Damaged:
                if not left or not self.moved(log, generation):
                    raise
        raise AssertionError

    def moved(self, log: Log, generation: int) -> bool:
        """Whether the records of the log as it was known lie elsewhere now; what was found missing may be there."""
        with self._changed:
            if self._log is log and not isinstance(log, Writer) and log.stale():
                self._open_again()
            return (self._log, self._log.generation) != (log, generation)

    def writing(self) -> Lock:
        """Hold it, and nobody appends or syncs meanwhile; for this room. Taken before ``still``."""
        return self._writing

    def still(self) -> Condition:
        """Hold it, and nothing of the log changes meanwhile; for this room."""
        return self._changed

    def swap(self, made: Rewriting) -> bool:
        """Put a segment that was written anew in the place of the old one, for this room; see ``Writer.swap``."""
        with self._changed:
            self._recent.clear()
            return self.writer().swap(made)

    def _open_again(self) -> None:
        self._recent.clear()
        self._log = caught_up(self._log.folder, self._log.disk)
        self._synced = self._log.index.height

    def _place_finder(self, height: int) -> Callable[[], int]:
        return lambda: self._block_place(height)

    def _certificate_place(self, height: int) -> int:
        if place := self._log.index.certificate(height):
            return place
        raise LookupError(f"there is no certificate of block {height}")

    def _block_place(self, height: int) -> int:
        with self._changed:
            if not 1 <= height <= self.height:
                raise LookupError(f"there is no block {height}: the journal holds blocks 1 to {self.height}")
            return self._log.index.blocks[height - 1]

    def writer(self) -> Writer:
        """The log with its pen, for this room. Raises ValueError when the journal is open for reading only."""
        if not isinstance(self._log, Writer):
            raise ValueError("this journal is open for reading only")
        return self._log
