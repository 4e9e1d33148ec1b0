"""Executing kept blocks again: each must give the receipts and the rows that its header commits to.

Owns what recovery and verification share: the comparison, and the pace. Signatures are checked ahead, in processes of
their own if the caller has them, and rows are written in steps of many blocks, so that a replay outruns the network.

Who trusts the validators may take a block's signatures on their word: the quorum that certified it had checked them.
Every receipt and every row is computed and compared all the same.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from stoa.kernel import merkle
from stoa.kernel.base import Broken
from stoa.kernel.codec import encode
from stoa.ledger import machine
from stoa.ledger.catalog import Receipt
from stoa.ledger.governance.members import members
from stoa.ledger.state import State, Writes
from stoa.node.state_store import Standing, Store
from stoa.node.verifier import Verdicts, Verifier
from stoa.wire.block import Block, Header
from stoa.wire.vote import Certificate, certificate_valid

STEP_BLOCKS: Final = 256  # of one synced write
STEP_ENVELOPES: Final = 4_096  # a step is closed at so many; a last, larger block is taken in whole
WORTH_PROCESSES: Final = 1_024  # envelopes of a step below which no process is started

Kept = tuple[Block, Certificate | None]  # a block with its own certificate, as a journal replays them
Step = tuple[list[Kept], Verdicts | None]
Judge = Callable[[Header, Writes, Sequence[Receipt]], None]


class Replay:
    """A chain of blocks, executed from where a store stands. One thread.

    ``judge`` is shown what each block wrote and its receipts, before the rows are stored.
    """

    def __init__(
        self, view: State, store: Store, head: Header, produced: dict[str, int], judge: Judge | None = None
    ) -> None:
        self.view, self.store, self.head, self.produced, self._judge = view, store, head, produced, judge

    def run(self, kept: Iterable[Kept], verifier: Verifier | None) -> Iterator[Header]:
        """Execute the blocks, and yield each header when the view and the store are after it.

        Without a verifier a valid certificate of the block stands for its signatures; where there is none, they are
        checked. What was yielded is on disk at the end of its step only. Raises Broken where a block differs.
        """
        for step, asked in _ahead(kept, verifier):
            verdicts = iter(asked.get().verdicts) if asked else None
            for block, certificate in step:
                verified = None if verdicts is None else list(islice(verdicts, len(block.envelopes)))
                trusted = verifier is None and certificate is not None and self._vouched(block, certificate)
                writes = self._execute(block, verified, trusted)
                self._advance(block.header, writes, sync=block is step[-1][0])
                yield block.header

    def _vouched(self, block: Block, certificate: Certificate) -> bool:
        """Whether a quorum of the members of this height voted for just this block, with just these envelopes."""
        header, who = block.header, members(self.view)
        return (
            (header.chain, header.previous) == (self.head.chain, self.head.hash())
            and (certificate.height, certificate.block_hash) == (header.height, header.hash())
            and (header.count, header.envelopes_root) == (len(block.envelopes), merkle.root(block.envelopes))
            and certificate_valid(header.chain, certificate, who.keys, who.quorum)
        )

    def _execute(self, block: Block, verified: Sequence[bool] | None, trusted: bool) -> Writes:
        header = block.header
        require_place(self.head, self.produced, header)
        made, receipts = self._made(block, [True] * len(block.envelopes) if trusted else verified)
        if trusted and merkle.root(receipts) != header.receipts_root:
            self.view.rollback(0)  # the quorum may have refused one of the envelopes for its signature
            made, receipts = self._made(block, None)
        writes = self.view.seal()
        require_same(block, receipts, writes)
        if self._judge is not None:
            self._judge(header, writes, made)
        return writes

    def _made(self, block: Block, verified: Sequence[bool] | None) -> tuple[list[Receipt], list[bytes]]:
        place = machine.Place(block.header.chain, block.header.height, block.header.time)
        made = machine.execute_block(self.view, place, block.envelopes, verified)
        return made, [encode(receipt) for receipt in made]

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


def _ahead(kept: Iterable[Kept], verifier: Verifier | None) -> Iterator[Step]:
    """Steps with their verdicts, which are being worked out beside this process while the step before is executed."""
    before: Step | None = None
    for step in _steps(kept):
        asked = verifier.ahead([raw for block, _ in step for raw in block.envelopes]) if verifier else None
        if before is not None:
            yield before
        before = step, asked
    if before is not None:
        yield before


def _steps(kept: Iterable[Kept]) -> Iterator[list[Kept]]:
    step: list[Kept] = []
    envelopes = 0
    for block, certificate in kept:
        step.append((block, certificate))
        envelopes += len(block.envelopes)
        if len(step) >= STEP_BLOCKS or envelopes >= STEP_ENVELOPES:
            yield step
            step, envelopes = [], 0
    if step:
        yield step
