"""An open load on the gateways of a network, and what became of it.

Owns the schedule, the submissions and the tellings of final blocks. One asyncio loop in a thread of its own would be
the bus's; here the buses' own threads carry everything, and this thread only keeps the schedule. Does not own: what the
load costs (``cost.py``), and who lets parts of the network fail meanwhile (``drills.py``).
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple, Self

from stoa.bench.bare import Bare
from stoa.bench.reference import rate_here
from stoa.bench.schedule import Schedule
from stoa.bus.bus import Bus, Kept
from stoa.bus.faults import BusFault
from stoa.bus.names import token
from stoa.intake.gate import Duplicate
from stoa.kernel.codec import encode
from stoa.wire.bulk import Submission, Told, read_told, read_verdict
from stoa.wire.envelope import read_envelope, transaction_id

SLICE_SECONDS: Final = 0.05  # what is due within it goes to a gateway in one message
SETTLE_SECONDS: Final = 30.0  # without anything becoming final, until nothing more is waited for
MISSED_SECONDS: Final = 2.0  # the same when all is final, and only the telling of some gateway may have been missed
CATCH_UP_SECONDS: Final = 120.0
ANSWER_SECONDS: Final = 20.0
BARE: Final = 200  # transfers whose signatures are verified bare during the load
WAIT_SECONDS: Final = 60.0
MOST_IN_MESSAGE: Final = 1_000
LEAD_SECONDS: Final = 0.2  # until the first transfer is due
BUSY: Final = "busy"
DUPLICATE: Final = Duplicate(b"").code


class Reference(NamedTuple):
    """A rate that is meant for the machine of the budgets: offered is, at every time, what it is on this one."""

    verify_us: float  # what a bare verification takes here, until enough of them were timed during the load
    seconds: float  # how long the load lasts; transfers that are not due by then are not offered


Moment = tuple[float, Callable[[], object]]  # seconds after the first transfer is due, and what is done then


class Measured(NamedTuple):
    """What became of a load. Latencies in milliseconds, from the time at which a transfer was due to be submitted."""

    start: float  # when the first was due, by the monotonic clock
    seconds: float
    offered: int
    final: int
    rejected: int  # by the gate
    refused: int  # by the ledger: final too
    lost: int  # accepted by a gateway, and not final
    unanswered: int  # no gateway said that it has them, and they are not final
    busy: int
    blocks: int
    forks: int
    latency: dict[str, float]
    interval: dict[str, float]  # between blocks under load
    times: list[tuple[float, float]]  # of each final transfer: seconds from the start until it was due, latency
    block_times: list[float]  # of each final block, when the first gateway told it, by the monotonic clock
    bare_verify_us: float


class Load:
    """Follows the final blocks of every gateway, and offers transfers to them. Use as a context."""

    def __init__(self, chain: str, buses: Mapping[str, Bus], once: bool = False) -> None:
        """``once``: what a gateway is too busy for is not offered again, and counts as ``busy`` for good."""
        self._once = once
        self._chain, self._buses = token(chain), dict(buses)
        self._lock = threading.Condition()
        self._due: dict[bytes, float] = {}  # when each transfer was due to be submitted
        self._home: dict[bytes, str] = {}
        self._done: dict[bytes, float] = {}
        self._elsewhere: dict[bytes, float] = {}  # told as final by another gateway than the transfer's own
        self._codes: dict[bytes, int] = {}
        self._accepted: set[bytes] = set()
        self._level: dict[str, float] = {}  # since it was last asked for, when each gateway told the greatest height
        self._hashes: dict[int, bytes] = {}
        self._heights: dict[str, int] = {}
        self._blocks: list[float] = []
        self._forks = self._rejected = self._busy = self._settled = 0
        self._progress = 0.0
        self._kept: list[Kept] = []
        for code, bus in self._buses.items():
            told = f"final.{self._chain}.{token(code)}"
            self._kept.append(bus.subscribe(told, lambda _, raw, code=code: self._hear(code, raw)))  # type: ignore[misc]

    @property
    def height(self) -> int:
        """The greatest that any gateway has told."""
        return max(self._heights.values(), default=0)

    @property
    def forks(self) -> int:
        """Heights of which two gateways told different blocks."""
        return self._forks

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Hear nothing more."""
        for kept in self._kept:
            kept.stop()

    def _hear(self, code: str, raw: bytes) -> None:
        told, now = read_told(raw), time.monotonic()
        with self._lock:
            if self._hashes.setdefault(told.height, told.block_hash) != told.block_hash:
                self._forks += 1
            greatest = max(self._heights.values(), default=0)
            if told.height > greatest:
                self._blocks.append(now)
            if told.height >= greatest:
                self._level.setdefault(code, now)
            self._heights[code] = told.height
            self._note(code, told, now)
            self._lock.notify_all()

    def _note(self, code: str, told: Told, now: float) -> None:
        for transaction, number in zip(told.transactions, told.codes, strict=True):
            home = self._home.get(transaction)
            if home is None or transaction in self._done:
                continue
            if home == code:
                self._settled += 1
                self._done[transaction], self._progress = now, now
                self._codes[transaction] = number
                self._elsewhere.pop(transaction, None)
            elif transaction not in self._elsewhere:
                self._elsewhere[transaction], self._progress = now, now
                self._codes[transaction] = number

    def ask_level(self, codes: Iterable[str]) -> None:
        """From now on, note when each of these gateways comes to where the others are."""
        with self._lock:
            for code in codes:
                self._level.pop(code, None)

    def level_at(self, codes: Iterable[str]) -> float | None:
        """When the last of these gateways came to where the others were; None if one has not."""
        with self._lock:
            times = [self._level.get(code) for code in codes]
        return None if None in times else max((one for one in times if one is not None), default=0.0)

    def submit_and_wait(self, code: str, raw: bytes) -> None:
        """One transaction, which must be applied."""
        transaction = transaction_id(read_envelope(raw).body)
        with self._lock:
            self._home[transaction] = code
        while BUSY in self._submitted(code, (raw,)):
            time.sleep(SLICE_SECONDS)
        with self._lock:
            if not self._lock.wait_for(lambda: transaction in self._done, WAIT_SECONDS):
                raise TimeoutError(f"a transaction through {code} did not become final within {WAIT_SECONDS} s")
        if self._codes[transaction]:
            raise ValueError(f"a transaction that sets up the market was refused with {self._codes[transaction]}")

    def _submitted(self, code: str, envelopes: tuple[bytes, ...]) -> list[str | int]:
        subject = f"submit.{self._chain}.{token(code)}"
        raw = self._buses[code].request(subject, encode(Submission(envelopes)), ANSWER_SECONDS)
        verdict = read_verdict(raw)
        return [BUSY if number and verdict.retry_ms else number for number in verdict.codes]

    def offer(
        self,
        load: Sequence[tuple[str, bytes]],
        rate: int,
        moments: Sequence[Moment] = (),
        reference: Reference | None = None,
    ) -> Measured:
        """Submit the transfers at the rate, then wait until all are final, or until nothing becomes final any more.

        ``moments``, in order of time, are brief: the schedule waits for them. Those that are left are done at the end.
        """
        ids = [transaction_id(read_envelope(raw).body) for _, raw in load]
        bare = Bare([raw for _, raw in load[:BARE]])
        senders = {code: _Sender(self, code) for code in {code for code, _ in load}}
        start = time.monotonic() + LEAD_SECONDS
        schedule = Schedule(lambda: rate, start)
        if reference:
            first, lasts = reference
            schedule = Schedule(lambda: rate_here(rate, bare.recent() or first), start, lasts)
        with self._lock:
            self._settled = 0
            self._blocks.clear()
            self._home.update((one, code) for one, (code, _) in zip(ids, load, strict=True))
        at, todo = 0, list(moments)
        while at < len(load) and not schedule.over:
            now = time.monotonic()
            times = schedule.until(now, len(load) - at)
            until = at + len(times)
            slices: dict[str, list[tuple[bytes, bytes]]] = {}
            for due, transaction, (code, raw) in zip(times, ids[at:until], load[at:until], strict=True):
                self._due[transaction] = due
                slices.setdefault(code, []).append((transaction, raw))
            for code, some in slices.items():
                senders[code].put(some)
            at = until
            while todo and now >= start + todo[0][0]:
                todo.pop(0)[1]()
            bare.some()
            time.sleep(max(0.0, SLICE_SECONDS - (time.monotonic() - now)))
        for _, act in todo:
            act()
        for sender in senders.values():
            sender.finish()
        self._settle(at)
        return self._measured(ids[:at], start, bare)

    def _settle(self, count: int) -> None:
        with self._lock:
            self._progress = time.monotonic()
            while self._settled < count:
                everywhere = self._settled + len(self._elsewhere)
                patience = MISSED_SECONDS if everywhere >= count else SETTLE_SECONDS
                left = self._progress + patience - time.monotonic()
                if left <= 0:
                    return
                self._lock.wait(min(left, MISSED_SECONDS))

    def _measured(self, ids: list[bytes], start: float, bare: Bare) -> Measured:
        with self._lock:
            final = {one: self._done.get(one) or self._elsewhere.get(one) for one in ids}
            blocks = list(self._blocks)
            due, accepted = dict(self._due), set(self._accepted)
        times = [(due[one] - start, (at - due[one]) * 1_000) for one, at in final.items() if at]
        ordered = sorted(latency for _, latency in times)
        last = max((at for at in final.values() if at), default=start)
        until = due[ids[-1]] if ids else start
        loaded = [at for at in blocks if start <= at <= max(until, start)]
        gaps = sorted((b - a) * 1_000 for a, b in pairwise(loaded))
        missing = [one for one in ids if not final[one]]
        lost = sum(one in accepted for one in missing)
        return Measured(
            start=start,
            seconds=max(last - start, until - start, 1e-9),
            offered=len(ids),
            final=len(times),
            rejected=self._rejected,
            refused=sum(bool(self._codes.get(one)) for one in ids),
            lost=lost,
            unanswered=len(missing) - lost - self._rejected - (self._busy if self._once else 0),
            busy=self._busy,
            blocks=len(blocks),
            forks=self._forks,
            latency={f"p{part}": percentile(ordered, part) for part in (50, 95, 99)},
            interval={f"p{part}": percentile(gaps, part) for part in (50, 95)},
            times=times,
            block_times=blocks,
            bare_verify_us=bare.microseconds(),
        )

    def all_reach(self, height: int, codes: list[str]) -> bool:
        """Whether these gateways come to the height in bearable time."""
        with self._lock:
            return self._lock.wait_for(
                lambda: all(self._heights.get(code, 0) >= height for code in codes), CATCH_UP_SECONDS
            )


class _Sender:
    """Submits to one gateway in order, on a thread of its own; what is busy is tried again, its clock running."""

    def __init__(self, load: Load, code: str) -> None:
        self._load, self._code = load, code
        self._waiting: list[tuple[bytes, bytes]] = []  # transactions and their envelopes
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, some: list[tuple[bytes, bytes]]) -> None:
        """These transactions, with their envelopes, are due now."""
        with self._changed:
            self._waiting += some
            self._changed.notify()

    def finish(self) -> None:
        """Send what waits, and end."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(SETTLE_SECONDS)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    return
                some = self._waiting[:MOST_IN_MESSAGE]
                del self._waiting[: len(some)]
            again = self._send(some)
            if again:
                with self._changed:
                    self._waiting[:0] = again
                time.sleep(SLICE_SECONDS)

    def _send(self, some: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """What is to be sent again. What a gateway has already, since an answer of it was lost, counts as accepted."""
        load = self._load
        try:
            answers = load._submitted(self._code, tuple(raw for _, raw in some))
        except BusFault:
            return some
        again = [one for one, answer in zip(some, answers, strict=True) if answer == BUSY]
        taken = [one for (one, _), answer in zip(some, answers, strict=True) if answer in (0, DUPLICATE)]
        rejected = len(some) - len(again) - len(taken)
        with load._lock:
            load._accepted.update(taken)
            load._busy += len(again)
            load._rejected += rejected
            load._settled += rejected + (len(again) if load._once else 0)
        return [] if load._once else again


def percentile(ordered: Sequence[float], part: int) -> float:
    """The value below which so many of a hundred lie; 0 of nothing."""
    return round(ordered[min(len(ordered) - 1, len(ordered) * part // 100)], 1) if ordered else 0.0
