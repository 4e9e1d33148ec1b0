"""Due work: from the payment time on, a bounded number of lines in every block until all are dealt with."""

from typing import Final

from stoa.kernel.base import Context
from stoa.ledger.assets.register import lines_as_of
from stoa.ledger.corporate_actions.model import DISTRIBUTIONS, PAYMENT, PROGRESS
from stoa.ledger.corporate_actions.teller import Teller
from stoa.ledger.due import schedule
from stoa.ledger.state import State

SPARE: Final = 4  # a payment leaves one step in this many to other work, so that no record ever waits behind it


def pay(view: State, ctx: Context, ref: str, budget: int) -> tuple[int, bool]:
    """Pay the next lines of the distribution ``ref``; what is left goes back into the diary for the next block."""
    terms, progress = view.need(DISTRIBUTIONS, ref), view.need(PROGRESS, ref)
    most = max(1, budget - budget // SPARE)
    lines = lines_as_of(view, terms.asset, progress.snapshot, most, progress.cursor or None)
    teller = Teller(view, ctx, ref, terms, progress)
    for account, units in lines:
        if units:
            teller.serve(account, units)
    complete = len(lines) < most
    teller.close(lines[-1][0] if lines else progress.cursor, complete)
    if not complete:
        schedule(view, ctx.time + 1, PAYMENT, ref)
    return len(lines), True
