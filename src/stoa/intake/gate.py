"""The gate: what may come in at all. Stateless checks first, the cheapest first; then the duplicate; then the room.

A refusal is a value: one of the ledger's own envelope rejections, or Duplicate, Busy or Stopped, which only a gate can
say. What is recognised as a duplicate is the envelope, not the transaction: a copy that somebody else signed, or that
lacks a signature, is another envelope, and must not keep out the one that the ledger will accept.
"""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from stoa.kernel import limits
from stoa.kernel.base import Rejection
from stoa.kernel.codec import Malformed
from stoa.ledger.catalog import Expired, MalformedEnvelope, SignatureInvalid, ValidTooLong, WrongChain, read_body
from stoa.wire.envelope import read_envelope, signatures_valid, transaction_id

MAX_WAITING: Final = 50_000  # transactions accepted and not yet in a block
MAX_WAITING_BYTES: Final = 256 * 1024 * 1024  # of their envelopes
MAX_REMEMBERED: Final = 200_000  # envelopes whose digests are kept to recognise a repeated submission
MOST_WAIT_SECONDS: Final = 2.0  # while the first has waited longer than this, no more than
ALWAYS_TAKEN: Final = 1_000  # transactions may wait: who comes under overload is told at once, not made to queue
RETRY_MS: Final = 250


class Duplicate(Rejection, tag=1050):
    """The same envelope was submitted before."""

    transaction: bytes
    en = "The transaction {transaction} was submitted already; ask for its receipt."
    ko = "거래 {transaction}은(는) 이미 제출되었습니다. 영수증을 조회하십시오."


class Busy(Rejection, tag=1051):
    """As many transactions are waiting as may, or as become final in bearable time."""

    waiting: int
    retry_ms: int
    en = "{waiting} transactions are waiting, the most there may be; retry after {retry_ms} ms."
    ko = "대기 거래가 최대치인 {waiting}건입니다. {retry_ms}밀리초 후 다시 시도하십시오."


class Stopped(Rejection, tag=1052):
    """The gate is closed: this node makes no more blocks."""

    en = "The node has stopped and takes no transactions."
    ko = "노드가 정지되어 거래를 받지 않습니다."


class Accepted(NamedTuple):
    """The transaction waits for its block. Accepted is not final."""

    transaction: bytes


class Waiting(NamedTuple):
    """A transaction between the gate and its batch. ``since`` is a monotonic clock's seconds, ``sender`` the validator
    whose gate has let it in, empty for this one's own."""

    raw: bytes
    since: float
    sender: str = ""


class Gate:
    """Safe for threads. ``clock`` gives milliseconds."""

    def __init__(
        self,
        chain: str,
        clock: Callable[[], int],
        capacity: int = MAX_WAITING,
        capacity_bytes: int = MAX_WAITING_BYTES,
        remembered: int = MAX_REMEMBERED,
    ) -> None:
        self._chain, self._clock = chain, clock
        self._capacity, self._capacity_bytes, self._remembered = capacity, capacity_bytes, remembered
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._waiting: OrderedDict[bytes, Waiting] = OrderedDict()  # by the envelope's digest, in order of arrival
        self._bytes = 0
        self._seen: OrderedDict[bytes, bytes] = OrderedDict()  # the digests of envelopes, with their transactions
        self._copies: Counter[bytes] = Counter()  # of each transaction, how many envelopes are remembered
        self._closed = False
        self.counted: Counter[str] = Counter()

    def submit(self, raw: bytes) -> Accepted | Rejection:
        """Take a transaction in, or say why not."""
        verdict = self._judge(raw)
        name = verdict.name if isinstance(verdict, Rejection) else "accepted"
        with self._lock:
            self.counted[name] += 1
        return verdict

    def _judge(self, raw: bytes) -> Accepted | Rejection:
        try:
            envelope = read_envelope(raw)
            body = read_body(envelope.body)
        except Malformed as error:
            return MalformedEnvelope(str(error)[: limits.MAX_TEXT])
        now = self._clock()
        if body.chain != self._chain:
            return WrongChain(body.chain, self._chain)
        if body.valid_until < now:
            return Expired(body.valid_until, now)
        if body.valid_until > now + limits.MAX_VALIDITY_MS:
            return ValidTooLong(body.valid_until, now + limits.MAX_VALIDITY_MS)
        transaction, digest = transaction_id(envelope.body), sha256(raw).digest()
        with self._lock:
            refused = self._objection(transaction, digest, len(raw))
        if refused is not None:
            return refused
        if not signatures_valid(envelope, transaction):  # the dearest check, outside of the lock
            return SignatureInvalid(body.author)
        with self._lock:
            refused = self._objection(transaction, digest, len(raw))
            if refused is None:
                self._enter(digest, Waiting(raw, time.monotonic()))
                self._remember(digest, transaction)
                self._arrived.notify()
        return refused or Accepted(transaction)

    def take_over(self, envelopes: Sequence[bytes], sender: str) -> int:
        """Take in, in their order, what another validator's gate has let in, and say how many from the first on.

        Signatures are left to the block, as with any batch of others. What no batch can hold is dropped.
        """
        with self._arrived:
            for count, raw in enumerate(envelopes):
                if self._closed or self._is_busy(len(raw)):
                    return count
                digest = sha256(raw).digest()
                if digest not in self._waiting and len(raw) <= limits.MAX_ENVELOPE_BYTES:
                    self._enter(digest, Waiting(raw, time.monotonic(), sender))
            self._arrived.notify()
        return len(envelopes)

    def _enter(self, digest: bytes, waiting: Waiting) -> None:
        self._waiting[digest] = waiting
        self._bytes += len(waiting.raw)

    def _objection(self, transaction: bytes, digest: bytes, size: int) -> Rejection | None:
        if digest in self._seen:
            return Duplicate(transaction)
        if self._closed:
            return Stopped()
        return Busy(len(self._waiting), RETRY_MS) if self._is_busy(size) else None

    def _is_busy(self, size: int) -> bool:
        full = len(self._waiting) >= self._capacity or self._bytes + size > self._capacity_bytes
        return full or self._is_slow()

    def _is_slow(self) -> bool:
        """Whether more comes in than goes out. A bound in number alone would be minutes of waiting."""
        if len(self._waiting) < ALWAYS_TAKEN:
            return False
        return time.monotonic() - next(iter(self._waiting.values())).since > MOST_WAIT_SECONDS

    def _remember(self, digest: bytes, transaction: bytes) -> None:
        self._seen[digest] = transaction
        self._copies[transaction] += 1
        while len(self._seen) > self._remembered:
            _, oldest = self._seen.popitem(last=False)
            self._copies[oldest] -= 1
            if not self._copies[oldest]:
                del self._copies[oldest]

    def take(self, most: int, most_bytes: int, linger: float, timeout: float) -> list[Waiting]:
        """Transactions for one batch, in order of arrival: cut at a number, at bytes, or ``linger`` seconds after the
        first one came. Empty if none came within ``timeout`` seconds. A larger one than ``most_bytes`` goes alone.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._waiting or self._closed, timeout):
                return []
            if self._waiting:
                left = next(iter(self._waiting.values())).since + linger - time.monotonic()
                self._arrived.wait_for(lambda: self._is_full(most, most_bytes) or self._closed, left)
            return self._cut(most, most_bytes)

    def _is_full(self, most: int, most_bytes: int) -> bool:
        return len(self._waiting) >= most or self._bytes >= most_bytes

    def _cut(self, most: int, most_bytes: int) -> list[Waiting]:
        taken: list[Waiting] = []
        size = 0
        while self._waiting and len(taken) < most:
            digest, first = next(iter(self._waiting.items()))
            if taken and size + len(first.raw) > most_bytes:
                break
            del self._waiting[digest]
            taken.append(first)
            size += len(first.raw)
        self._bytes -= size
        return taken

    def give_back(self, taken: Sequence[Waiting]) -> None:
        """Put transactions whose batch made no block back in front, in their order, whether there is room or not."""
        with self._arrived:
            for waiting in reversed(taken):
                digest = sha256(waiting.raw).digest()
                self._enter(digest, waiting)
                self._waiting.move_to_end(digest, last=False)
            self._arrived.notify()

    def is_waiting(self, transaction: bytes) -> bool:
        """Whether the transaction was accepted here lately."""
        with self._lock:
            return transaction in self._copies

    def waiting(self) -> int:
        """How many transactions wait for a batch."""
        with self._lock:
            return len(self._waiting)

    def close(self) -> None:
        """Take nothing more in; whoever waits in ``take`` is let go."""
        with self._arrived:
            self._closed = True
            self._arrived.notify_all()
