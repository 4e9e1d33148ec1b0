"""Submitting: an envelope goes in once, however often it is sent, and whoever wants waits until it is final.

Used by the route for signed bytes and by custody's intents, so that both give the same answers.
"""

from anyio import to_thread

from stoa.api.bell import Bell
from stoa.api.health import unready
from stoa.api.limits import MAX_WAITING
from stoa.api.problems import Problem
from stoa.api.receipts import Place, TransactionView, final_view, place_at, place_of, url_of, view_of
from stoa.api.services import Services
from stoa.intake.gate import Accepted, Busy, Duplicate, Stopped
from stoa.kernel.base import Rejection
from stoa.kernel.codec import Malformed
from stoa.node.details import NodeStopped
from stoa.node.sayings import both
from stoa.wire.envelope import read_envelope, transaction_id


async def submit(services: Services, bell: Bell, raw: bytes, wait: float, language: str) -> TransactionView:
    """Take the envelope in and say how it stands after at most ``wait`` seconds. Raises Problem if it is refused."""
    head = services.node.health().height
    transaction, settled = await to_thread.run_sync(_take_in, services, raw)
    if wait > 0 and not settled and bell.waiting < MAX_WAITING:
        return await wait_final(services, bell, transaction, wait, language, head)
    known = await to_thread.run_sync(view_of, services, transaction, language)
    return known or TransactionView(transaction.hex(), "accepted", url_of(transaction))


async def wait_final(
    services: Services, bell: Bell, transaction: bytes, wait: float, language: str, head: int = 0
) -> TransactionView:
    """Wait until the transaction is final and the views show it, so that what is read next is not older.

    A refusal of another envelope of it, in a block up to ``head``, is not waited for.
    """

    def shown() -> Place | None:
        located = services.node.located(transaction)
        if located is None or (located.height > services.projector.height and not services.projector.failure):
            return None
        place = place_at(located)
        return place if place.settled or place.height > head else None

    place = await bell.until(shown, wait) or await to_thread.run_sync(place_of, services, transaction)
    if place is None:
        return TransactionView(transaction.hex(), "accepted", url_of(transaction))
    return await to_thread.run_sync(final_view, services, transaction, place, language)


def _take_in(services: Services, raw: bytes) -> tuple[bytes, bool]:
    """The id of the transaction, which is now accepted or was so before, and whether its fate is known already."""
    known = _id_of(raw)
    place = None if known is None else place_of(services, known)
    if known is not None and place is not None and place.settled:
        return known, True
    answer = services.node.submit(raw)
    if isinstance(answer, Accepted | Duplicate):
        return answer.transaction, False
    raise refused(services, answer)


def _id_of(raw: bytes) -> bytes | None:
    try:
        return transaction_id(read_envelope(raw).body)
    except Malformed:
        return None


def refused(services: Services, rejection: Rejection) -> Problem:
    """The gate's answer as a problem."""
    if services.node.failure:
        return unready(both(NodeStopped(services.node.failure)))
    return Problem(rejection, 503 if isinstance(rejection, Busy | Stopped) else 422)
