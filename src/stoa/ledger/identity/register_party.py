"""An institution that keeps accounts makes a customer known by a random number."""

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import InstitutionId, PartyId
from stoa.ledger.identity.authority import acts_for
from stoa.ledger.identity.errors import NotAuthorised, PartyExists
from stoa.ledger.identity.events import PartyRegistered
from stoa.ledger.identity.model import PARTIES, Party
from stoa.ledger.state import State


class RegisterParty(Instruction, tag="identity.register_party.v1"):
    """A person (``entity`` 0) or firm (1). The number must be drawn at random: it may say nothing about its owner."""

    party: PartyId
    entity: bool
    keeper: InstitutionId


def rejections(view: State, ctx: Context, ins: RegisterParty) -> Rejections:
    """NotAuthorised, PartyExists."""
    if not acts_for(view, ctx, ins.keeper):
        yield NotAuthorised(ins.keeper)
    if view.get(PARTIES, ins.party) is not None:
        yield PartyExists(ins.party)


def apply(view: State, ctx: Context, ins: RegisterParty) -> None:
    """Enter the party."""
    view.put(PARTIES, ins.party, Party(ins.entity, ins.keeper, ctx.time))
    ctx.emit(PartyRegistered(ins.party, ins.entity, ins.keeper))
