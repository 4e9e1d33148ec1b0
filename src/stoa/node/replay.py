"""Executing kept blocks again: each must give the receipts and the rows that its header commits to.

Owns what recovery and verification share: the comparison, and the pace. Signatures are checked ahead, in processes of
their own if the caller has them, and rows are written in steps of many blocks, so that a replay outruns the network.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from stoa.kernel import merkle
from stoa.kernel.base import Broken
from stoa.kernel.codec import encode
from stoa.ledger import machine
from stoa.ledger.catalog import Receipt
from stoa.ledger.state import State, Writes
from stoa.node.state_store import Standing, Store
from stoa.node.verifier import Verdicts, Verifier
from stoa.wire.block import Block, Header
from stoa.wire.vote import Certificate

STEP_BLOCKS: Final = 256  # of one synced write
STEP_ENVELOPES: Final = 4_096  # a step is closed at so many; a last, larger block is taken in whole
WORTH_PROCESSES: Final = 1_024  # envelopes of a step below which no process is started

Step = tuple[list[Block], Verdicts]
Judge = Callable[[Header, Writes, Sequence[Receipt]], None]


class Replay:
    """A chain of blocks, executed from where a store stands. One thread.

    ``judge`` is shown what each block wrote and its receipts, before the rows are stored.
    """

    def __init__(
        self, view: State, store: Store, head: Header, produced: dict[str, int], judge: Judge | None = None
    ) -> None:
        self.view, self.store, self.head, self.produced, self._judge = view, store, head, produced, judge

    def run(self, blocks: Iterable[Block], verifier: Verifier) -> Iterator[Header]:
        """Execute the blocks, and yield each header when the view and the store are after it.

        What was yielded is on disk at the end of its step only. Raises Broken where a block differs.
        """
        for step, verdicts in _ahead(blocks, verifier):
            verified, at = verdicts.get().verdicts, 0
            for block in step:
                count = len(block.envelopes)
                writes = self._execute(block, verified[at : at + count])
                at += count
                self._advance(block.header, writes, sync=block is step[-1])
                yield block.header

    def _execute(self, block: Block, verified: Sequence[bool]) -> Writes:
        header = block.header
        require_place(self.head, self.produced, header)
        place = machine.Place(header.chain, header.height, header.time)
        made = machine.execute_block(self.view, place, block.envelopes, verified)
        receipts = [encode(receipt) for receipt in made]
        writes = self.view.seal()
        require_same(block, receipts, writes)
        if self._judge is not None:
            self._judge(header, writes, made)
        return writes

    def _advance(self, header: Header, writes: Writes, sync: bool) -> None:
        self.head, self.produced = header, {**self.produced, header.producer: header.number}
        self.store.write(writes.rows, standing_at(header, self.produced), sync)
        self.view.finalised()


def require_place(head: Header, produced: Mapping[str, int], header: Header) -> None:
    """What a header says of time and order follows from the block before; nothing else in it is free. Raises Broken."""
    time = max(head.time, header.batch_time)
    if header.time != time:
        raise Broken(f"block {header.height} has the time {header.time}, and {time} follows from its batch")
    number = produced.get(header.producer, 0) + 1
    if header.number != number:
        raise Broken(f"block {header.height} has batch {header.number} of {header.producer}, and {number} is next")


def require_same(block: Block, receipts: Sequence[bytes], writes: Writes) -> None:
    """The receipts and rows must be those that the block's header commits to. Raises Broken."""
    header = block.header
    if merkle.root(receipts) != header.receipts_root:
        raise Broken(f"replay of block {header.height} gives other receipts{_first(receipts, block.receipts)}")
    if writes.hash != header.writes_hash:
        raise Broken(f"replay of block {header.height} writes other rows than its header commits to")


def standing_at(header: Header, produced: dict[str, int], certificate: Certificate | None = None) -> Standing:
    """The store's note of where it stands after the block of this header."""
    block_hash = certificate.block_hash if certificate else header.hash()
    return Standing(header.height, block_hash, header.time, tuple(sorted(produced.items())), certificate)


def _first(computed: Sequence[bytes], kept: Sequence[bytes]) -> str:
    if len(computed) != len(kept):
        return f": {len(computed)} where {len(kept)} are kept"
    differing = [at for at, pair in enumerate(zip(computed, kept, strict=True)) if pair[0] != pair[1]]
    return f", first at {differing[0]}" if differing else " than its header commits to"


def _ahead(blocks: Iterable[Block], verifier: Verifier) -> Iterator[Step]:
    """Steps with their verdicts; those of the next step are being worked out while one is executed."""
    before: Step | None = None
    for step in _steps(blocks):
        asked = verifier.start([raw for block in step for raw in block.envelopes])
        if before is not None:
            yield before
        before = step, asked
    if before is not None:
        yield before


def _steps(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    step: list[Block] = []
    envelopes = 0
    for block in blocks:
        step.append(block)
        envelopes += len(block.envelopes)
        if len(step) >= STEP_BLOCKS or envelopes >= STEP_ENVELOPES:
            yield step
            step, envelopes = [], 0
    if step:
        yield step
