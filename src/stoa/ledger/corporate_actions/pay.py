"""Due work: from the payment time on, a bounded number of lines in every block until all are dealt with.

A block pays in several acts of a few hundred lines rather than in one of thousands: each act has a receipt of its own,
and the proof of one holder's income carries the events of its act.
"""

from typing import Final

from stoa.kernel import limits
from stoa.kernel.base import Context
from stoa.ledger.assets.register import lines_as_of
from stoa.ledger.corporate_actions.model import DISTRIBUTIONS, PAYMENT, PROGRESS
from stoa.ledger.corporate_actions.teller import Teller
from stoa.ledger.due import schedule
from stoa.ledger.state import State

SPARE: Final = (
    limits.MAX_DUE_STEPS // 4
)  # steps of a block left to other work, so that no record waits behind a payment
ACT_LINES: Final = 384  # lines of one act


def pay(view: State, ctx: Context, ref: str, budget: int) -> tuple[int, bool]:
    """Pay the next lines of the distribution ``ref``. What is left goes back into the diary, behind everything that is
    due by now; or, once only the spare steps are left, for the next block."""
    most = min(ACT_LINES, budget - SPARE)
    if most <= 0:
        schedule(view, ctx.time + 1, PAYMENT, ref)
        return 1, True
    terms, progress = view.need(DISTRIBUTIONS, ref), view.need(PROGRESS, ref)
    lines = lines_as_of(view, terms.asset, progress.snapshot, most, progress.cursor or None)
    teller = Teller(view, ctx, ref, terms, progress)
    for account, units in lines:
        if units:
            teller.serve(account, units)
    complete = len(lines) < most
    teller.close(lines[-1][0] if lines else progress.cursor, complete)
    if not complete:
        schedule(view, ctx.time, PAYMENT, ref)
    return len(lines), True
