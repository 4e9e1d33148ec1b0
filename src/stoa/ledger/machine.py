"""The machine: verify, decode, check, apply, receipt. Control flow only; every meaning is in the verbs of the catalog.

``execute`` is the one entry for a transaction, ``execute_block`` for a block. The same state and the same bytes give
the same receipts, the same events and the same rows on every machine. A block is read whole, then its signatures are
checked, then it is executed: each of these works on memory of its own, and would push the others' out of the cache.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from stoa.kernel import limits
from stoa.kernel.base import Context, Event, Rejection
from stoa.kernel.codec import Malformed
from stoa.kernel.hashing import tagged
from stoa.ledger import due
from stoa.ledger.catalog import AT_HEIGHT, DUE_WORK, VERBS, Body, Receipt, read_body
from stoa.ledger.errors import (
    Expired,
    KeyNotOfAccount,
    MalformedEnvelope,
    SequenceAhead,
    SequenceUsed,
    SignatureInvalid,
    SignerUnknown,
    ThresholdNotMet,
    ValidTooLong,
    WrongChain,
)
from stoa.ledger.identity.model import ACCOUNTS, LANES
from stoa.ledger.state import State
from stoa.wire.envelope import Envelope, Signature, read_envelope, signatures_valid, transaction_id


class Place(NamedTuple):
    """Where a block stands: its ledger, its height, its time in milliseconds."""

    chain: str
    height: int
    time: int


class Opened(msgspec.Struct, frozen=True, gc=False):
    """A transaction that could be read."""

    transaction: bytes
    envelope: Envelope
    body: Body


class Unreadable(msgspec.Struct, frozen=True, gc=False):
    """Bytes that are no transaction, and why."""

    transaction: bytes
    refusal: MalformedEnvelope


def open_envelope(raw: bytes) -> Opened | Unreadable:
    """The transaction behind received bytes. Needs no state."""
    try:
        envelope = read_envelope(raw)
        return Opened(transaction_id(envelope.body), envelope, read_body(envelope.body))
    except Malformed as error:
        return Unreadable(tagged("stoa.malformed", raw), MalformedEnvelope(error.rule))


def execute_block(
    view: State, place: Place, envelopes: Sequence[bytes], verified: Sequence[bool | None] | None = None
) -> list[Receipt]:
    """Do what is set for this height, what is due, then the transactions in order. Receipts: of the transactions, then
    of the work that nobody asked for, in the order in which it was done.

    ``verified`` may bring the verdict on each envelope's signatures from elsewhere; None or absent: verify here.
    """
    done = run_at_height(view, place) + run_due(view, place)
    opened = [open_envelope(raw) for raw in envelopes]
    verdicts = [
        _verdict(one) if verdict is None else verdict
        for one, verdict in zip(opened, verified or [None] * len(opened), strict=True)
    ]
    receipts = [execute(view, place, index, one, verdicts[index]) for index, one in enumerate(opened)]
    for offset, (transaction, events) in enumerate(done):
        receipts.append(Receipt(transaction, place.height, len(envelopes) + offset, None, -1, events))
    return receipts


def _verdict(one: Opened | Unreadable) -> bool:
    return isinstance(one, Opened) and signatures_valid(one.envelope, one.transaction)


def execute(view: State, place: Place, index: int, one: Opened | Unreadable, verified: bool) -> Receipt:
    """One transaction. A refused one leaves nothing but its receipt and, if it was genuine, its used sequence."""
    transaction = one.transaction
    if isinstance(one, Unreadable):
        return Receipt(transaction, place.height, index, one.refusal, -1, ())
    body, signatures = one.body, one.envelope.signatures
    refusal = _envelope_refusal(view, place, body, signatures, verified)
    if refusal is not None:
        return Receipt(transaction, place.height, index, refusal, -1, ())
    view.put(LANES, (body.author, body.lane), body.sequence)
    ctx = Context(place.chain, place.height, place.time, transaction, body.author, _signers(signatures), [])
    mark = view.mark()
    for at, instruction in enumerate(body.instructions):
        verb = VERBS[type(instruction)]
        for refusal in verb.rejections(view, ctx, instruction):
            view.rollback(mark)
            return Receipt(transaction, place.height, index, refusal, at, ())
        verb.apply(view, ctx, instruction)
    return Receipt(transaction, place.height, index, None, -1, tuple(ctx.events))


def _envelope_refusal(
    view: State, place: Place, body: Body, signatures: Sequence[Signature], verified: bool
) -> Rejection | None:
    """WrongChain, Expired, ValidTooLong, SignerUnknown, KeyNotOfAccount, ThresholdNotMet, SignatureInvalid,
    SequenceUsed, SequenceAhead: the first that applies, or None."""
    author, time = body.author, place.time
    if body.chain != place.chain:
        return WrongChain(body.chain, place.chain)
    if body.valid_until < time:
        return Expired(body.valid_until, time)
    if body.valid_until > time + limits.MAX_VALIDITY_MS:
        return ValidTooLong(body.valid_until, time + limits.MAX_VALIDITY_MS)
    refusal = _signer_refusal(view, signatures, author)
    if refusal is not None:
        return refusal
    if not verified:
        return SignatureInvalid(author)
    expected = (view.rows[LANES][author, body.lane] or 0) + 1
    if body.sequence < expected:
        return SequenceUsed(author, body.lane, body.sequence, expected)
    if body.sequence > expected:
        return SequenceAhead(author, body.lane, body.sequence, expected)
    return None


def _signers(signatures: Sequence[Signature]) -> tuple[bytes, ...]:
    """The accounts that are signed for, each once."""
    if len(signatures) == 1:
        return (signatures[0].account,)
    return tuple(dict.fromkeys(one.account for one in signatures))


def _signed_keys(signatures: Sequence[Signature], author: bytes) -> Iterable[tuple[bytes, Sequence[bytes]]]:
    """The keys that sign for each account, each once; the author's first, also if none does."""
    if len(signatures) == 1 and signatures[0].account == author:
        return ((author, (signatures[0].key,)),)
    signed: dict[bytes, list[bytes]] = {author: []}
    for one in signatures:
        keys = signed.setdefault(one.account, [])
        if one.key not in keys:
            keys.append(one.key)
    return signed.items()


def _signer_refusal(view: State, signatures: Sequence[Signature], author: bytes) -> Rejection | None:
    """Whether each account that is signed for has enough of its own keys in the envelope; the author must be one."""
    for account_id, keys in _signed_keys(signatures, author):
        account = view.rows[ACCOUNTS][account_id]
        if account is None:
            return SignerUnknown(account_id)
        for key in keys:
            if key not in account.keys:
                return KeyNotOfAccount(account_id, key)
        if len(keys) < account.threshold:
            return ThresholdNotMet(account_id, len(keys), account.threshold)
    return None


def run_at_height(view: State, place: Place) -> list[tuple[bytes, tuple[Event, ...]]]:
    """Do all that is set for this very block. Returns (id, events) of each kind of work that did something."""
    done: list[tuple[bytes, tuple[Event, ...]]] = []
    for kind, work in AT_HEIGHT.items():
        transaction = due.height_id(place.chain, place.height, kind)
        ctx = Context(place.chain, place.height, place.time, transaction, b"", (), [])
        work(view, ctx)
        if ctx.events:
            done.append((transaction, tuple(ctx.events)))
    return done


def run_due(view: State, place: Place) -> list[tuple[bytes, tuple[Event, ...]]]:
    """Do what has fallen due at the block's time, up to the bound of one block. Returns (id, events) of each item."""
    done: list[tuple[bytes, tuple[Event, ...]]] = []
    budget = limits.MAX_DUE_STEPS
    while budget > 0:
        rows = view.scan(due.DUE, (), 1)
        if not rows or rows[0][0][0] > place.time:
            break
        key, item = rows[0]
        transaction = due.due_id(place.chain, place.height, key)
        ctx = Context(place.chain, place.height, place.time, transaction, b"", (), [])
        steps, finished = DUE_WORK[item.kind](view, ctx, item.ref, budget)
        budget -= max(steps, 1)
        if finished:
            view.put(due.DUE, key, None)
        done.append((transaction, tuple(ctx.events)))
    return done


class Explained(NamedTuple):
    """A dry run: every reason against the transaction, with the instruction it speaks about (-1: the envelope)."""

    reasons: list[tuple[int, Rejection]]
    events: list[Event]


def explain(view: State, place: Place, body: Body, signers: Sequence[bytes]) -> Explained:
    """What would happen if these accounts signed the body now. Leaves the state as it was.

    Later instructions are judged after the earlier ones, as far as these pass.
    """
    ctx = Context(place.chain, place.height, place.time, bytes(32), body.author, tuple(signers), [])
    reasons: list[tuple[int, Rejection]] = []
    mark = view.mark()
    try:
        for at, instruction in enumerate(body.instructions):
            verb = VERBS[type(instruction)]
            against = list(verb.rejections(view, ctx, instruction))
            reasons += [(at, reason) for reason in against]
            if not against:
                verb.apply(view, ctx, instruction)
    finally:
        view.rollback(mark)
    return Explained(reasons, list(ctx.events))
