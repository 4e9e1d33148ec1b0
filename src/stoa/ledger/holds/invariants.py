"""What is always true of liens. Each invariant reads the state and returns its failures as sentences."""

from collections.abc import Callable, Iterator
from typing import Final

from stoa.ledger.assets.model import HOLDINGS
from stoa.ledger.assets.register import line
from stoa.ledger.due import DUE
from stoa.ledger.holds.model import EXPIRY, HOLDS
from stoa.ledger.state import State


def held_is_the_sum_of_holds(view: State) -> list[str]:
    """What a line calls held is what its holds cover, each at least 1 unit."""
    failures = []
    covered = 0
    for asset, account, units, least in _covered(view):
        covered += units
        held = line(view, asset, account).held
        if held != units or least < 1:
            failures.append(f"{asset} in {account.hex()}: {held} held, {units} under holds, the smallest {least}")
    held_in_all = sum(row.held for _, row in view.walk(HOLDINGS))
    if held_in_all != covered:
        failures.append(f"{held_in_all} units held, {covered} under holds")
    return failures


def _covered(view: State) -> Iterator[tuple[str, bytes, int, int]]:
    """Asset, account, units under holds and the smallest hold, for every line with a hold."""
    at: tuple[str, bytes] | None = None
    units: list[int] = []
    for (asset, account, _), hold in view.walk(HOLDS):
        if at is not None and at != (asset, account):
            yield *at, sum(units), min(units)
            units = []
        at = (asset, account)
        units.append(hold.units)
    if at is not None:
        yield *at, sum(units), min(units)


def every_hold_with_an_end_is_due(view: State) -> list[str]:
    """No hold is forgotten: each that ends by itself has its work waiting, at its time."""
    waiting = 0
    for (time, _), item in view.walk(DUE):
        if item.kind == EXPIRY:
            asset, account, number = item.ref.split(" ")
            hold = view.get(HOLDS, (asset, bytes.fromhex(account), int(number)))
            waiting += hold is not None and hold.expires == time
    ending = sum(1 for _, hold in view.walk(HOLDS) if hold.expires)
    return [] if ending == waiting else [f"{ending} holds have an end, for {waiting} it is due"]


INVARIANTS: Final[tuple[Callable[[State], list[str]], ...]] = (held_is_the_sum_of_holds, every_hold_with_an_end_is_due)
