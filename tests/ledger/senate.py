"""A hall whose institutions govern it: the first few validate, propose and vote, and heights pass."""

from stoa.kernel.base import Event
from stoa.kernel.time import DAY
from stoa.ledger.catalog import Receipt
from stoa.ledger.governance.events import ChangeProposed
from stoa.ledger.governance.members import members
from stoa.ledger.governance.model import (
    BATCH_LINGER_MS,
    PARAMETERS,
    PROPOSALS,
    QUORUM,
    AdmitValidator,
    Change,
    Proposal,
    SetParameters,
    Setting,
)
from stoa.ledger.governance.propose import Propose
from stoa.ledger.governance.vote import Vote
from stoa.ledger.identity.model import INSTITUTIONS
from stoa.ledger.identity.set_institution import SetInstitution
from tests.ledger import hall
from tests.ledger.hall import EVIDENCE, Hall, public

NAMES = tuple(hall.INSTITUTIONS)
LINGER = SetParameters((Setting(BATCH_LINGER_MS, 7),))


def admit(name: str) -> AdmitValidator:
    """The institution with its usual voting key."""
    return AdmitValidator(name, public(f"{name} votes"))


class Senate(Hall):
    """A hall with the first so many institutions as validators, under a quorum rule (0 majority, 1 Byzantine)."""

    def __init__(self, validators: int = 3, rule: int = 0) -> None:
        super().__init__(validators=NAMES[:validators])
        self.view.put(PARAMETERS, QUORUM, rule)
        self.wait(1)

    def propose(self, who: str, change: Change, ahead: int = 10, lasts: int = DAY) -> int:
        """A proposal for the block ``ahead`` of the one that it is made in. Returns its number."""
        events = self.do(who, self.proposal(who, change, ahead, lasts))
        [made] = [event for event in events if isinstance(event, ChangeProposed)]
        return made.proposal

    def proposal(self, who: str, change: Change, ahead: int = 10, lasts: int = DAY) -> Propose:
        """The instruction, to be in the next block."""
        return Propose(who, change, self.height + 1 + ahead, self.time + 1_000 + lasts, "as discussed")

    def vote(self, number: int, *names: str, yes: bool = True) -> None:
        """Each of these votes, all in one block."""
        receipts = self.block(*[self.signed(name, Vote(number, name, yes)) for name in names])
        assert [receipt.rejection for receipt in receipts] == [None] * len(receipts)

    def reach(self, height: int) -> list[Receipt]:
        """Empty blocks up to and with this height. Returns the last one's receipts."""
        receipts: list[Receipt] = []
        while self.height < height:
            receipts = self.wait(1)
        return receipts

    def decide(self, number: int) -> tuple[Event, ...]:
        """Empty blocks up to the proposal's height. Returns what happened there."""
        return tuple(event for receipt in self.reach(self.row(number).height) for event in receipt.events)

    def suspend(self, *names: str) -> None:
        """The registrar suspends these institutions."""
        self.do("KSD", *[self._standing(name, False) for name in names])

    def reinstate(self, name: str) -> None:
        self.do("KSD", self._standing(name, True))

    def _standing(self, name: str, active: bool) -> SetInstitution:
        roles = self.view.need(INSTITUTIONS, name).roles
        return SetInstitution(name, roles, active, "licence", EVIDENCE)

    def row(self, number: int) -> Proposal:
        return self.view.need(PROPOSALS, number)

    def parameter(self, name: str = BATCH_LINGER_MS) -> int:
        return self.view.need(PARAMETERS, name)

    def validators(self) -> list[str]:
        return list(members(self.view).keys)
