"""``stoa bench distribution``: income for a crowd on a real node, and what other people's transfers feel meanwhile.

The payout is timed from the moment it falls due until the last holder is dealt with, by the wall clock. Beside it runs
an open loop: transfers are due at fixed moments whatever the node does, and each one's time counts from the moment at
which it was due, so a wait of the generator is a wait of the transfer. Views are not kept: they may follow later.
"""

import os
import threading
import time as clock
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Final, NamedTuple

from stoa.bench.crowd import UNITS, write_crowd
from stoa.bench.ledger import BARE_A_BLOCK, BareVerifier, fsync_p50
from stoa.bench.market import ASSET, UNITS_EACH, VALIDATOR, Market, key, secret_of
from stoa.bench.opening import ground, open_market
from stoa.kernel.base import Rejection
from stoa.kernel.money import Rate
from stoa.kernel.time import DAY
from stoa.ledger.catalog import read_receipt
from stoa.ledger.compliance.attest import Attest
from stoa.ledger.corporate_actions.announce_distribution import AnnounceDistribution
from stoa.ledger.corporate_actions.events import DistributionCompleted, DistributionRecorded, IncomePaid
from stoa.ledger.corporate_actions.model import PRO_RATA, Distribution, TaxRate
from stoa.ledger.identity.open_account import OpenAccount
from stoa.ledger.identity.register_party import RegisterParty
from stoa.ledger.settlement.issue import Issue
from stoa.node.collector import rest_collector
from stoa.node.commit import FinalBlock
from stoa.node.finality import Validator
from stoa.node.node import STATE_FOLDER, Node, wall_clock
from stoa.wire.envelope import read_envelope, transaction_id

TRADERS: Final = 200
BEFORE_MS: Final = 1_000  # from the announcement to the record, and from the record to the payment
PATIENCE_SECONDS: Final = 1_800  # the longest that anything is waited for
SLOWEST: Final = 2_000  # payees a second for which the traffic is signed beforehand
BARE: Final = 1_000  # bare verifications timed after the payout
EACH: Final = 1_000  # cents of income for each holder, before tax
NAME: Final = "BENCH-INCOME"
PAYER: Final = "payer"
TAXES: Final = "taxes"


@dataclass(frozen=True)
class Options:
    """What to run: so many holders paid, so many transfers a second beside it."""

    holders: int = 100_000
    traffic: int = 500
    seed: int = 1
    folder: str = ""  # where to run; empty: a temporary folder


class Figures(NamedTuple):
    """What was measured. ``late`` are transfers that were not final when everything else was."""

    payout_seconds: float
    holders_per_second: int
    paid: int
    blocks: int
    block_ms_p95: float
    transfers: int
    refused: int
    late: int
    transfer_ms_p50: float
    transfer_ms_p99: float
    cpu_us_per_holder: float
    bare_verify_us: float
    cpu_ratio: float
    fsync_us_p50: int
    cores: int
    stage_seconds: dict[str, float]


def run(options: Options) -> Figures:
    """Run the benchmark and return its figures."""
    with ground(options.folder) as folder:
        return _run(options, folder)


def _run(options: Options, folder: Path) -> Figures:
    market, begun = open_market(folder, TRADERS, options.seed)
    validator = Validator(VALIDATOR, secret_of("vote"))
    node = Node(folder, validator)
    node.start()
    _commit(node, [*market.set_up(), *_money(market, options.holders, begun)])
    node.close()
    write_crowd(folder / STATE_FOLDER, options.holders, begun)
    seconds = 10 + options.holders // SLOWEST
    traffic = market.transfers(options.traffic * seconds, 0)
    node = Node(folder, validator)
    try:
        return _measure(node, market, options, traffic)
    finally:
        node.close()


def _measure(node: Node, market: Market, options: Options, traffic: list[bytes]) -> Figures:
    watch, load = _Watch(), _Load(node, traffic, options.traffic)
    node.listen(watch)
    node.listen(load.seen)
    node.start()
    payment = wall_clock() + 2 * BEFORE_MS
    _commit(node, [_announcement(market, options.holders, payment)])
    rest_collector()  # as in `stoa up`
    load.start()
    if not watch.recorded.wait(PATIENCE_SECONDS):
        raise RuntimeError(f"nothing was recorded: {node.failure}")
    clock.sleep(max(0.0, (payment - wall_clock()) / 1_000))
    since, spent, cpu = clock.perf_counter(), node.seconds(), clock.process_time()
    if not watch.complete.wait(PATIENCE_SECONDS) or node.failure:
        raise RuntimeError(f"the distribution did not end: {node.failure or 'out of patience'}")
    wall, cpu = watch.ended - since, clock.process_time() - cpu
    times = load.ended(since)
    stages = {stage: round(now - spent[stage], 2) for stage, now in node.seconds().items()}
    bare = BareVerifier(traffic[:BARE])
    for _ in range(BARE // BARE_A_BLOCK):
        bare.some()
    own = (cpu - len(times) * bare.microseconds() / 1e6) / options.holders * 1e6  # the gate's verifications taken out
    hundredths = quantiles(times, n=100) if len(times) > 1 else [0.0] * 99
    blocks = [after - before for before, after in zip(watch.blocks, watch.blocks[1:], strict=False)]
    return Figures(
        payout_seconds=round(wall, 2),
        holders_per_second=int(options.holders / wall),
        paid=watch.paid,
        blocks=len(watch.blocks),
        block_ms_p95=round(quantiles(blocks, n=20)[18] * 1_000, 1) if len(blocks) > 1 else 0.0,
        transfers=len(times),
        refused=load.refused,
        late=load.late,
        transfer_ms_p50=round(hundredths[49] * 1_000, 1),
        transfer_ms_p99=round(hundredths[98] * 1_000, 1),
        cpu_us_per_holder=round(own, 1),
        bare_verify_us=round(bare.microseconds(), 1),
        cpu_ratio=round(own / bare.microseconds(), 2),
        fsync_us_p50=fsync_p50(node.folder, 0),
        cores=os.cpu_count() or 1,
        stage_seconds=stages,
    )


class _Watch:
    """Sees the distribution recorded, paid and completed."""

    def __init__(self) -> None:
        self.recorded, self.complete = threading.Event(), threading.Event()
        self.paid = 0
        self.ended = 0.0
        self.blocks: list[float] = []  # when each block that paid somebody was final

    def __call__(self, final: FinalBlock) -> None:
        before = self.paid
        for receipt in final.receipts[final.block.header.count :]:
            self.paid += sum(isinstance(event, IncomePaid) for event in receipt.events)
            for event in receipt.events:
                if isinstance(event, DistributionRecorded):
                    self.recorded.set()
                elif isinstance(event, DistributionCompleted):
                    self.ended = clock.perf_counter()
                    self.complete.set()
        if self.paid > before:
            self.blocks.append(clock.perf_counter())


class _Load:
    """The open loop: one thread that submits each transfer at its moment, or at once if that has passed."""

    def __init__(self, node: Node, traffic: list[bytes], rate: int) -> None:
        self._node, self._traffic, self._rate = node, traffic, rate
        self._lock = threading.Lock()
        self._due: dict[bytes, float] = {}  # of transfers that are not final yet
        self._times: list[tuple[float, float]] = []  # when it was due, and how long it took
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stoa-load", daemon=True)
        self.refused = self.late = 0

    def start(self) -> None:
        """Begin, if there is to be any traffic."""
        if self._rate:
            self._thread.start()

    def _run(self) -> None:
        begun = clock.perf_counter()
        for number, raw in enumerate(self._traffic):
            moment = begun + number / self._rate
            if self._stopping.wait(max(0.0, moment - clock.perf_counter())):
                return
            transaction = transaction_id(read_envelope(raw).body)
            with self._lock:
                self._due[transaction] = moment
            if isinstance(self._node.submit(raw), Rejection):
                self.refused += 1

    def seen(self, final: FinalBlock) -> None:
        """A block is final, and what was due in it."""
        now = clock.perf_counter()
        with self._lock:
            for receipt in final.receipts:
                moment = self._due.pop(receipt.transaction, None)
                if moment is not None:
                    self._times.append((moment, now - moment))
                    self.refused += not receipt.applied

    def ended(self, since: float) -> list[float]:
        """Stop, and the seconds that each transfer took which was due from then on."""
        self._stopping.set()
        if self._rate:
            self._thread.join()
        until = clock.perf_counter() + 2
        while self._due and clock.perf_counter() < until:
            clock.sleep(0.05)
        with self._lock:
            self.late = len(self._due)
            return [took for moment, took in self._times if moment >= since]


def _commit(node: Node, envelopes: list[bytes]) -> None:
    """Have these applied, in their order."""
    for raw in envelopes:
        node.submit(raw)
    for raw in envelopes:
        place = node.wait(transaction_id(read_envelope(raw).body), PATIENCE_SECONDS)
        assert place is not None, "out of patience"
        receipt = read_receipt(place.receipt)
        assert receipt.applied, receipt.rejection


def _money(market: Market, holders: int, time: int) -> list[bytes]:
    """Who pays and who takes the tax, and the pool."""
    known = []
    for number, name in enumerate((PAYER, TAXES), start=101):
        who = (RegisterParty(number, True, "BROKER"), OpenAccount(number, "BROKER", 1, (key(name).public,)))
        known += [market.signed((key("BROKER"),), *who)]
        known += [market.signed((key("IDP"),), Attest(number, "identity", "IDP", "KR", time + 365 * DAY))]
    pool = _pool(holders)
    return [*known, market.signed((key("BANK"),), Issue("USD", key(PAYER).account, pool, 0, 0))]


def _pool(holders: int) -> int:
    """Income on the crowd's units and on the traders'."""
    return EACH * holders + EACH * TRADERS * UNITS_EACH // UNITS


def _announcement(market: Market, holders: int, payment: int) -> bytes:
    terms = Distribution(
        ASSET, "USD", key(PAYER).account, _pool(holders), PRO_RATA, payment - BEFORE_MS, payment,
        Rate(154, 1_000), (TaxRate("US", "", Rate(15, 100)),), key(TAXES).account,
        "return", bytes(32),
    )  # fmt: skip
    return market.signed((key("AGENT"), key(PAYER)), AnnounceDistribution(NAME, terms))
