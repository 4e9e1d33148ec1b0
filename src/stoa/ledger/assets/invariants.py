"""What is always true of the register. Each invariant reads the state and returns its failures as sentences."""

from collections.abc import Callable
from typing import Final

from stoa.kernel import limits
from stoa.ledger.assets.model import ASSETS, HOLDINGS, LOTS, PORTFOLIO, SUPPLY
from stoa.ledger.assets.register import line
from stoa.ledger.identity.model import ACCOUNTS
from stoa.ledger.state import State


def units_are_conserved(view: State) -> list[str]:
    """The lines of an asset sum to its supply, and the supply is within what is authorised."""
    failures = []
    for asset, terms in view.walk(ASSETS):
        supply = view.get(SUPPLY, asset) or 0
        held = sum(row.units for _, row in view.walk(HOLDINGS, (asset,)))
        if held != supply:
            failures.append(f"{asset}: {held} on lines, supply {supply}")
        if not 0 <= supply <= terms.authorised:
            failures.append(f"{asset}: supply {supply}, authorised {terms.authorised}")
    return failures


def nothing_is_negative(view: State) -> list[str]:
    """Units, held and frozen are at least 0, holds lie within the units, and a freeze has a beginning."""
    failures = []
    for (asset, account), row in view.walk(HOLDINGS):
        within = 0 <= row.held <= row.units and row.frozen >= 0 and 0 <= row.head <= row.tail
        if not within or (row.frozen > 0) != (row.frozen_since > 0):
            failures.append(f"{asset} in {account.hex()}: {row}")
    return failures


def lots_make_up_their_lines(view: State) -> list[str]:
    """The lots of a line lie between its head and its tail, are positive, and sum to its units; cash has none."""
    failures = []
    for asset, terms in view.walk(ASSETS):
        wanting = {True: view.get(SUPPLY, asset) or 0, False: 0}[terms.kind == "security"]
        account, units = b"", 0
        for (_, owner, number), lot in view.walk(LOTS, (asset,)):
            if owner != account:
                failures += _differ(view, asset, account, units)
                account, units = owner, 0
            units += lot.units
            wanting -= lot.units
            row = line(view, asset, owner)
            if lot.units <= 0 or lot.cost < 0 or not row.head <= number < row.tail:
                failures.append(f"{asset} in {owner.hex()}: lot {number} is {lot}, the line {row}")
        failures += _differ(view, asset, account, units)
        if wanting:
            failures.append(f"{asset}: {wanting} units of the supply lie in no lot")
    return failures


def _differ(view: State, asset: str, account: bytes, units: int) -> list[str]:
    held = line(view, asset, account).units
    return [] if held == units else [f"{asset} in {account.hex()}: {units} in lots, {held} on the line"]


def the_portfolio_is_an_index_of_lines(view: State) -> list[str]:
    """Every line is found from its account, and nothing else is."""
    lines = sum(1 for _ in view.walk(HOLDINGS))
    failures, found = [], 0
    for account, assets in view.walk(PORTFOLIO):
        found += len(assets)
        if len(assets) > limits.MAX_ASSETS_OF_ACCOUNT or list(assets) != sorted(dict.fromkeys(assets)):
            failures.append(f"{account.hex()}: {len(assets)} lines, or not in order: {assets[:9]}")
        failures += [
            f"{account.hex()}: no line in {asset}" for asset in assets if view.get(HOLDINGS, (asset, account)) is None
        ]
    return failures if found == lines else [*failures, f"{lines} lines, {found} in portfolios"]


def recovered_accounts_are_empty(view: State) -> list[str]:
    """Every line has an account, and one that was recovered has nothing left on its lines."""
    failures = []
    for (asset, account), row in view.walk(HOLDINGS):
        owner = view.get(ACCOUNTS, account)
        if owner is None or (owner.successor and (row.units or row.held or row.frozen)):
            failures.append(f"{asset} in {account.hex()}: {row} of {owner}")
    return failures


INVARIANTS: Final[tuple[Callable[[State], list[str]], ...]] = (
    units_are_conserved,
    nothing_is_negative,
    lots_make_up_their_lines,
    the_portfolio_is_an_index_of_lines,
    recovered_accounts_are_empty,
)
