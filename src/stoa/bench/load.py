"""An open load on the gateways of a network, and what became of it.

Owns the schedule, the submissions and the tellings of final blocks. One asyncio loop in a thread of its own would be
the bus's; here the buses' own threads carry everything, and this thread only keeps the schedule.
"""

import threading
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Final, NamedTuple

from stoa.bus.bus import Bus, Kept
from stoa.bus.faults import BusFault
from stoa.bus.names import token
from stoa.kernel import signing
from stoa.kernel.codec import encode
from stoa.wire.bulk import Submission, Told, read_told, read_verdict
from stoa.wire.envelope import read_envelope, transaction_id

SLICE_SECONDS: Final = 0.05  # what is due within it goes to a gateway in one message
SETTLE_SECONDS: Final = 30.0  # after the last submission, for everything to become final
CATCH_UP_SECONDS: Final = 120.0
ANSWER_SECONDS: Final = 20.0
BARE: Final = 200  # bare verifications timed during the load
WAIT_SECONDS: Final = 60.0
MOST_IN_MESSAGE: Final = 1_000
BUSY: Final = "busy"


class Measured(NamedTuple):
    """What became of a load. Latencies in milliseconds, from the time at which a transfer was due to be submitted."""

    seconds: float
    offered: int
    final: int
    rejected: int  # by the gate
    refused: int  # by the ledger: final too
    busy: int
    blocks: int
    forks: int
    latency: dict[str, float]
    interval: dict[str, float]
    bare_verify_us: float


class Load:
    """Follows the final blocks of every gateway, and offers transfers to them."""

    def __init__(self, chain: str, buses: Mapping[str, Bus]) -> None:
        self._chain, self._buses = token(chain), dict(buses)
        self._lock = threading.Condition()
        self._due: dict[bytes, float] = {}  # when each transfer was due to be submitted
        self._home: dict[bytes, str] = {}
        self._done: dict[bytes, float] = {}
        self._codes: dict[bytes, int] = {}
        self._hashes: dict[int, bytes] = {}
        self._heights: dict[str, int] = {}
        self._blocks: list[float] = []
        self._forks = self._rejected = self._busy = self._settled = 0
        self._kept: list[Kept] = []
        for code, bus in self._buses.items():
            self.follow(code, bus)

    @property
    def height(self) -> int:
        """The greatest that any gateway has told."""
        return max(self._heights.values(), default=0)

    def follow(self, code: str, bus: Bus) -> None:
        """Hear what becomes final at a gateway."""
        self._buses[code] = bus
        self._kept.append(bus.subscribe(f"final.{self._chain}.{token(code)}", lambda _, raw: self._hear(code, raw)))

    def close(self) -> None:
        """Hear nothing more."""
        for kept in self._kept:
            kept.stop()

    def _hear(self, code: str, raw: bytes) -> None:
        told, now = read_told(raw), time.monotonic()
        with self._lock:
            if self._hashes.setdefault(told.height, told.block_hash) != told.block_hash:
                self._forks += 1
            if told.height > max(self._heights.values(), default=0):
                self._blocks.append(now)
            self._heights[code] = told.height
            self._note(code, told, now)
            self._lock.notify_all()

    def _note(self, code: str, told: Told, now: float) -> None:
        for transaction, number in zip(told.transactions, told.codes, strict=True):
            if self._home.get(transaction) == code and transaction not in self._done:
                self._settled += 1
                self._done[transaction] = now
                self._codes[transaction] = number

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

    def offer(self, load: list[tuple[str, bytes]], rate: int, halfway: Callable[[], object]) -> Measured:
        """Submit the transfers at the rate, then wait until all are final, or for as long as is bearable.

        ``halfway`` is called once in the middle.
        """
        ids = [transaction_id(read_envelope(raw).body) for _, raw in load]
        self._settled = 0
        bare = _Bare([raw for _, raw in load[:BARE]])
        self._blocks.clear()
        senders = {code: _Sender(self, code) for code in {code for code, _ in load}}
        start = time.monotonic() + 0.2
        for at, ((code, _), transaction) in enumerate(zip(load, ids, strict=True)):
            self._due[transaction], self._home[transaction] = start + at / rate, code
        at, called = 0, False
        while at < len(load):
            now = time.monotonic()
            until = min(len(load), int((now - start) * rate) + 1) if now >= start else 0
            for code, raw in load[at:until]:
                senders[code].put(raw)
            at = max(at, until)
            if not called and at * 2 >= len(load):
                called = True
                halfway()
            bare.some()
            time.sleep(max(0.0, SLICE_SECONDS - (time.monotonic() - now)))
        for sender in senders.values():
            sender.finish()
        with self._lock:
            self._lock.wait_for(lambda: self._settled >= len(ids), SETTLE_SECONDS)
        return self._measured(ids, start, bare)

    def _measured(self, ids: list[bytes], start: float, bare: "_Bare") -> Measured:
        done = sorted((self._done[one] - self._due[one]) * 1_000 for one in ids if one in self._done)
        last = max((self._done[one] for one in ids if one in self._done), default=start)
        first = min(self._due.values(), default=start)
        gaps = sorted((b - a) * 1_000 for a, b in zip(self._blocks, self._blocks[1:], strict=False))
        return Measured(
            seconds=max(last - first, 1e-9),
            offered=len(ids),
            final=len(done),
            rejected=self._rejected,
            refused=sum(bool(self._codes.get(one)) for one in ids),
            busy=self._busy,
            blocks=len(self._blocks),
            forks=self._forks,
            latency={f"p{part}": _percentile(done, part) for part in (50, 95, 99)},
            interval={f"p{part}": _percentile(gaps, part) for part in (50, 95)},
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
        self._waiting: list[bytes] = []
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, raw: bytes) -> None:
        """It is due now."""
        with self._changed:
            self._waiting.append(raw)
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
                some = tuple(self._waiting[:MOST_IN_MESSAGE])
                del self._waiting[: len(some)]
            again = self._send(some)
            if again:
                with self._changed:
                    self._waiting[:0] = again
                time.sleep(SLICE_SECONDS)

    def _send(self, some: tuple[bytes, ...]) -> list[bytes]:
        load = self._load
        try:
            answers = load._submitted(self._code, some)
        except BusFault:
            return list(some)  # what arrived all the same is refused as a duplicate
        again = [raw for raw, answer in zip(some, answers, strict=True) if answer == BUSY]
        with load._lock:
            load._busy += len(again)
            rejected = sum(answer not in (0, BUSY) for answer in answers)
            load._rejected += rejected
            load._settled += rejected
        return again


class _Bare:
    """Bare verifications, a few in each slice of the load."""

    def __init__(self, envelopes: list[bytes]) -> None:
        read = [read_envelope(raw) for raw in envelopes]
        self._load = [(one.signatures[0].key, transaction_id(one.body), one.signatures[0].signature) for one in read]
        self._times: list[float] = []

    def some(self) -> None:
        """Time three of them by this thread's own CPU."""
        if not self._load:
            return
        for _ in range(3):
            public, digest, signature = self._load[len(self._times) % len(self._load)]
            mark = time.thread_time()
            assert signing.verify(public, digest, signature)
            self._times.append(time.thread_time() - mark)

    def microseconds(self) -> float:
        """The median."""
        return round(median(self._times) * 1e6, 1) if self._times else 0.0


def _percentile(ordered: list[float], part: int) -> float:
    return round(ordered[min(len(ordered) - 1, len(ordered) * part // 100)], 1) if ordered else 0.0
