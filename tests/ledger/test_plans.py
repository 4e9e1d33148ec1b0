"""A movement's plan serves the apply that follows on the same state, and no other state of the same length."""

from msgspec.structs import replace

from stoa.kernel.base import Context
from stoa.ledger.assets.model import LOTS
from stoa.ledger.due import next_number
from stoa.ledger.settlement.moves import Move, apply_move, move_rejections
from tests.ledger.hall import CHAIN, Hall, account


def test_a_plan_of_a_state_that_was_taken_back_is_not_used() -> None:
    """As many writes stand on the undo list as when it was planned, but they are other writes."""
    hall = Hall()
    hall.cash()
    hall.security()
    hall.person("kim")
    hall.person("lee")
    hall.issue("HBT", "kim", 100, cost=1_000)
    view, lot = hall.view, ("HBT", account("kim"), 0)
    ctx = Context(CHAIN, hall.height, hall.time, bytes(32), account("kim"), (account("kim"),), [])
    move = Move("HBT", "transfer", account("kim"), account("lee"), 40)

    mark = view.mark()
    view.put(LOTS, lot, replace(view.need(LOTS, lot), cost=9_000))
    assert list(move_rejections(view, ctx, move)) == []
    view.rollback(mark)
    next_number(view, "another write")
    apply_move(view, ctx, move)

    assert view.need(LOTS, lot).cost == 600
