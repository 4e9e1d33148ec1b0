"""``stoa bench ledger``: durable, individually signed, compliance-checked transfers on one machine.

The whole walk of an embedded node is timed: batches are admitted, signatures verified (in processes of their own if so
chosen), transactions executed, blocks hashed, written, synced and certified, rows written to the store and synced.
The load is signed beforehand. Bare verifications are timed between the blocks, so that the ratio compares one run with
itself; their time counts for neither side.
"""

import gc
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Final, NamedTuple

from stoa.bench.market import ASSET, CHAIN, VALIDATOR, secret_of
from stoa.bench.opening import ground, open_market
from stoa.bench.trouble import Trouble, TroubledDisk, Troubles
from stoa.journal.disk import REAL_DISK
from stoa.journal.journal import Journal
from stoa.kernel import signing
from stoa.kernel.codec import encode
from stoa.ledger.assets.model import HOLDINGS, Holding
from stoa.node.commit import Commit, FinalBlock
from stoa.node.epoch_file import Epochs
from stoa.node.finality import Finality, Validator
from stoa.node.node import JOURNAL_FOLDER, STATE_FOLDER, wall_clock
from stoa.node.quiet import Quiet
from stoa.node.recovery import open_state
from stoa.node.round import Round, resumed
from stoa.node.state_store import StateStore
from stoa.node.verifier import Share, Verifier, default_processes
from stoa.ordering.engine import Ordered
from stoa.wire.batch import BatchBody, sign_batch
from stoa.wire.envelope import read_envelope, transaction_id

BARE_A_BLOCK: Final = 40  # bare verifications timed after each block
SET_UP_BATCH: Final = 24  # transactions of a block while the market is set up
FSYNC_PROBES: Final = 50
NOTHING_CHECKED: Final = Share([], 0.0)  # beforehand: signatures are verified where the block is executed
PRELOAD_ROWS: Final = 200_000  # rows of one write when the state is filled beforehand


@dataclass(frozen=True)
class Options:
    """What to run. ``refused_per_mille`` of the transfers are built to be refused."""

    transfers: int = 10_000
    holders: int = 1_000
    holdings: int = 0  # further lines of the register, written to the state beforehand
    refused_per_mille: int = 20
    batch: int = 2_000
    processes: int = -1  # verifying processes; -1: one for each core but one
    fsync_delay_ms: float = 0.0
    seed: int = 1
    folder: str = ""  # where to run; empty: a temporary folder


class Figures(NamedTuple):
    """What was measured. Times are microseconds of CPU unless their name says otherwise."""

    transfers_per_second: int
    cpu_us_per_transfer: float
    bare_verify_us: float
    cpu_ratio: float
    fsync_us_p50: int
    blocks_per_second: float
    refused: int
    applied: int
    cores: int
    processes: int
    holdings: int
    start_seconds: float
    stage_us: dict[str, float]


def run(options: Options) -> Figures:
    """Run the benchmark and return its figures."""
    with ground(options.folder) as folder:
        return run_in(options, folder)


def run_in(options: Options, folder: Path) -> Figures:
    """Run it in an empty folder, where its journal stays."""
    market = open_market(folder, options.holders, options.seed).market
    bench = _Bench(folder, options)
    try:
        bench.commit_all(list(market.set_up()), batch=SET_UP_BATCH)
        if options.holdings:
            bench.close()
            preload(folder / STATE_FOLDER, options.holdings)
            bench = _Bench(folder, options)
        return bench.measure(market.transfers(options.transfers, options.refused_per_mille))
    finally:
        bench.close()


def preload(folder: Path, holdings: int) -> None:
    """Write lines of other holders straight into the state store, so that its trees are as deep as in a large market.

    They are no part of the journal: such a folder is good for measuring only.
    """
    store = StateStore(folder, durable=False)
    standing = store.standing()
    assert standing is not None
    value = encode(Holding(1, 0, 0, 0, 0, 0, 0))
    step = 2**160 // holdings
    for start in range(0, holdings, PRELOAD_ROWS):
        numbers = range(start, min(start + PRELOAD_ROWS, holdings))
        store.write([(HOLDINGS.pack((ASSET, (at * step).to_bytes(20, "big"))), value) for at in numbers], standing)
    store.close()


class _Bench:
    """An embedded node without its doors: the same commit loop, driven as fast as it goes."""

    def __init__(self, folder: Path, options: Options) -> None:
        self._options, self._folder = options, folder
        mark = perf_counter()
        slow = Trouble(sync_ms=options.fsync_delay_ms)
        disk = TroubledDisk(Troubles(folder, slow)) if options.fsync_delay_ms else REAL_DISK
        self._journal = Journal.open(folder / JOURNAL_FOLDER, disk)
        self._store, view, standing = open_state(folder / STATE_FOLDER, self._journal)
        finality = Finality(CHAIN, Validator(VALIDATOR, secret_of("vote")))
        self._commit = Commit(view, self._store, self._journal, self._journal.head, standing)
        self._quiet, self._share = Quiet(), NOTHING_CHECKED
        core = resumed(self._commit, self._journal, finality.signer(), Epochs())
        self._round = Round(core, self._commit, self._quiet, lambda _: self._share.verdicts or None)
        self._start_seconds = perf_counter() - mark
        self._verifier = Verifier(default_processes() if options.processes < 0 else options.processes)

    def close(self) -> None:
        """Close what is open; may be called twice."""
        if self._verifier is not None:
            self._verifier.close()
            self._store.close()
            self._journal.close()
            self._verifier = None  # type: ignore[assignment]

    def commit_all(self, envelopes: Sequence[bytes], batch: int) -> None:
        """Make blocks of the envelopes, unmeasured. Every one must be applied."""
        for ordered in self._batches(envelopes, batch):
            for receipt in self._final(ordered).receipts:
                assert receipt.applied, receipt.rejection

    def _final(self, ordered: Ordered, share: Share = NOTHING_CHECKED) -> FinalBlock:
        self._share = share
        self._round.ordered(ordered)
        assert not self._quiet.skips, self._quiet.skips
        return self._quiet.finals.pop()

    def _batches(self, envelopes: Sequence[bytes], size: int) -> Iterator[Ordered]:
        """Batches in their places, each made when the block before it is final."""
        for at in range(0, len(envelopes), size):
            now = max(wall_clock(), self._commit.head.time)
            number = self._commit.produced.get(VALIDATOR, 0) + 1
            body = BatchBody(CHAIN, VALIDATOR, number, now, tuple(envelopes[at : at + size]))
            yield Ordered(number, now, encode(sign_batch(body, secret_of("vote"))))

    def measure(self, envelopes: list[bytes]) -> Figures:
        """Drive the load through and take the figures."""
        size = self._options.batch
        bare = BareVerifier(envelopes)
        self._verifier.start(envelopes[:size]).get()  # the processes start here, not in the measured time
        self._commit.seconds = dict.fromkeys(self._commit.seconds, 0.0)
        gc.collect()
        gc.freeze()
        applied = blocks = 0
        verifying = 0.0
        wall, cpu = perf_counter(), process_time()
        ahead = self._verifier.ahead(envelopes[:size])
        for at, ordered in enumerate(self._batches(envelopes, size)):
            share = ahead.get() if ahead else None
            ahead = self._verifier.ahead(envelopes[(at + 1) * size : (at + 2) * size])
            final = self._final(ordered, share or NOTHING_CHECKED)
            applied += sum(receipt.applied for receipt in final.receipts)
            blocks += 1
            verifying += share.seconds if share else 0.0
            bare.some()
        wall, cpu = perf_counter() - wall - bare.wall, process_time() - cpu - bare.cpu
        each = (cpu + verifying) / len(envelopes) * 1e6
        return Figures(
            transfers_per_second=int(len(envelopes) / wall),
            cpu_us_per_transfer=round(each, 1),
            bare_verify_us=round(bare.microseconds(), 1),
            cpu_ratio=round(each / bare.microseconds(), 2),
            fsync_us_p50=fsync_p50(self._folder, self._options.fsync_delay_ms),
            blocks_per_second=round(blocks / wall, 1),
            refused=len(envelopes) - applied,
            applied=applied,
            cores=os.cpu_count() or 1,
            processes=self._verifier.processes,
            holdings=self._options.holdings,
            start_seconds=round(self._start_seconds, 3),
            stage_us={
                **{name: round(spent / len(envelopes) * 1e6, 1) for name, spent in self._commit.seconds.items()},
                "verify": round(verifying / len(envelopes) * 1e6, 1),
            },
        )


class BareVerifier:
    """Times signature verifications alone, a few at a time, with the keys and digests of the load."""

    def __init__(self, envelopes: list[bytes]) -> None:
        some = [read_envelope(raw) for raw in envelopes[:2_000]]
        self._load = [(one.signatures[0].key, transaction_id(one.body), one.signatures[0].signature) for one in some]
        self._at = self._count = 0
        self.wall = self.cpu = 0.0

    def some(self) -> None:
        """Verify a few."""
        wall, cpu = perf_counter(), process_time()
        for _ in range(BARE_A_BLOCK):
            public, digest, signature = self._load[self._at % len(self._load)]
            assert signing.verify(public, digest, signature)
            self._at += 1
        self.wall += perf_counter() - wall
        self.cpu += process_time() - cpu

    def microseconds(self) -> float:
        """CPU of one verification."""
        return self.cpu / self._at * 1e6


def fsync_p50(folder: Path, delay_ms: float) -> int:
    """The median time of a small write and fsync in the folder, with the injected delay, in microseconds."""
    path, times = folder / "fsync.probe", []
    with path.open("wb", buffering=0) as file:
        for _ in range(FSYNC_PROBES):
            mark = perf_counter()
            file.write(bytes(4_096))
            os.fsync(file.fileno())
            times.append((perf_counter() - mark) * 1e6)
    path.unlink()
    return round(median(times) + delay_ms * 1_000)
