"""What is always true of identities. Each invariant reads the state and returns its failures as sentences."""

from collections.abc import Callable
from typing import Final

from stoa.ledger.identity.model import ACCOUNTS, INSTITUTIONS, OPERATORS, PARTIES
from stoa.ledger.state import State


def institutions_speak_through_their_accounts(view: State) -> list[str]:
    """Each institution's operating account exists, is its own, belongs to a party, and names it."""
    failures = []
    for code, institution in view.walk(INSTITUTIONS):
        account = view.get(ACCOUNTS, institution.account)
        if (
            account is None
            or account.custodian != code
            or view.get(PARTIES, account.party) is None
            or view.get(OPERATORS, institution.account) != code
        ):
            failures.append(f"{code}: {institution.account.hex()} is {account}")
    return failures


INVARIANTS: Final[tuple[Callable[[State], list[str]], ...]] = (institutions_speak_through_their_accounts,)
