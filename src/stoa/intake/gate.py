"""The gate: what may come in at all. Stateless checks first, the cheapest first; then the duplicate; then the room.

A refusal is a value: one of the ledger's own envelope rejections, or Busy or Duplicate, which only a gate can say.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from stoa.kernel import limits
from stoa.kernel.base import Rejection
from stoa.kernel.codec import Malformed
from stoa.ledger.catalog import Expired, MalformedEnvelope, SignatureInvalid, ValidTooLong, WrongChain, read_body
from stoa.wire.envelope import read_envelope, signatures_valid, transaction_id

MAX_WAITING: Final = 50_000  # transactions accepted and not yet in a block
MAX_REMEMBERED: Final = 200_000  # ids kept to recognise a repeated submission
RETRY_MS: Final = 250


class Duplicate(Rejection, tag=1050):
    """The same transaction was submitted before."""

    transaction: bytes
    en = "The transaction {transaction} was submitted already; ask for its receipt."
    ko = "거래 {transaction}은(는) 이미 제출되었습니다. 영수증을 조회하십시오."


class Busy(Rejection, tag=1051):
    """As many transactions are waiting as may."""

    waiting: int
    retry_ms: int
    en = "{waiting} transactions are waiting, the most there may be; retry after {retry_ms} ms."
    ko = "대기 거래가 최대치인 {waiting}건입니다. {retry_ms}밀리초 후 다시 시도하십시오."


class Accepted(NamedTuple):
    """The transaction waits for its block. Accepted is not final."""

    transaction: bytes


class Waiting(NamedTuple):
    """A transaction between the gate and its batch."""

    transaction: bytes
    raw: bytes


class Gate:
    """Safe for threads. ``clock`` gives milliseconds."""

    def __init__(self, chain: str, clock: Callable[[], int], capacity: int = MAX_WAITING) -> None:
        self._chain, self._clock, self._capacity = chain, clock, capacity
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._waiting: OrderedDict[bytes, Waiting] = OrderedDict()
        self._seen: OrderedDict[bytes, None] = OrderedDict()
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
        transaction = transaction_id(envelope.body)
        with self._lock:
            refused = self._room_for(transaction)
        if refused is not None:
            return refused
        if not signatures_valid(envelope):
            return SignatureInvalid(body.author)
        with self._lock:
            refused = self._room_for(transaction)
            if refused is None:
                self._waiting[transaction] = Waiting(transaction, raw)
                self._remember(transaction)
                self._arrived.notify()
        return refused or Accepted(transaction)

    def _room_for(self, transaction: bytes) -> Rejection | None:
        if transaction in self._seen:
            return Duplicate(transaction)
        if len(self._waiting) >= self._capacity:
            return Busy(len(self._waiting), RETRY_MS)
        return None

    def _remember(self, transaction: bytes) -> None:
        self._seen[transaction] = None
        while len(self._seen) > MAX_REMEMBERED:
            self._seen.popitem(last=False)

    def take(self, most: int, most_bytes: int, linger: float, timeout: float) -> list[Waiting]:
        """Transactions for one batch, in order of arrival: cut at a number, at bytes, or ``linger`` seconds after the
        first one came. Empty if none came within ``timeout`` seconds."""
        with self._arrived:
            if not self._waiting:
                self._arrived.wait(timeout)
            if not self._waiting:
                return []
            if len(self._waiting) < most:
                self._arrived.wait_for(lambda: len(self._waiting) >= most, linger)
            taken: list[Waiting] = []
            size = 0
            while self._waiting and len(taken) < most:
                first = next(iter(self._waiting.values()))
                if taken and size + len(first.raw) > most_bytes:
                    break
                self._waiting.popitem(last=False)
                taken.append(first)
                size += len(first.raw)
            return taken

    def give_back(self, taken: list[Waiting]) -> None:
        """Put transactions whose batch made no block back in front, in their order."""
        with self._arrived:
            for waiting in reversed(taken):
                self._waiting[waiting.transaction] = waiting
                self._waiting.move_to_end(waiting.transaction, last=False)

    def is_waiting(self, transaction: bytes) -> bool:
        """Whether the transaction was accepted here lately."""
        with self._lock:
            return transaction in self._seen

    def waiting(self) -> int:
        """How many transactions wait for a batch."""
        with self._lock:
            return len(self._waiting)
