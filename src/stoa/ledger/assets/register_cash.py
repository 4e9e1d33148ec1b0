"""A settlement bank registers its cash token: its own deposits, on the ledger, in whole smallest units."""

from typing import Annotated

from msgspec import Meta

from stoa.kernel import limits
from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import END, AssetId, InstitutionId
from stoa.ledger.assets.errors import AssetExists
from stoa.ledger.assets.events import AssetRegistered
from stoa.ledger.assets.model import ASSETS, SECURITIES, Asset, Decimals
from stoa.ledger.compliance.adopt_rules import adopt
from stoa.ledger.compliance.compile import terms_rejections
from stoa.ledger.compliance.model import Terms
from stoa.ledger.identity.authority import acts_for, member
from stoa.ledger.identity.errors import InstitutionUnknown, NotAuthorised
from stoa.ledger.identity.model import Name
from stoa.ledger.state import State


class RegisterCash(Instruction, tag="assets.register_cash.v1"):
    """Signed by the bank. ``decimals``: 0 for won, 2 for dollars. ``terms`` say who may hold it."""

    asset: AssetId
    bank: InstitutionId
    name: Name
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}" + END)]
    decimals: Decimals
    terms: Terms


def rejections(view: State, ctx: Context, ins: RegisterCash) -> Rejections:
    """NotAuthorised, InstitutionUnknown, AssetExists, RulesInvalid."""
    if not acts_for(view, ctx, ins.bank):
        yield NotAuthorised(ins.bank)
    if member(view, ins.bank, "settlement_bank") is None:
        yield InstitutionUnknown(ins.bank, "settlement_bank")
    if view.get(ASSETS, ins.asset) is not None or view.get(SECURITIES, ins.asset) is not None:
        yield AssetExists(ins.asset)
    yield from terms_rejections(ins.asset, ins.terms)


def apply(view: State, ctx: Context, ins: RegisterCash) -> None:
    """Enter the asset and its rules."""
    owners = (ins.bank,)
    most = limits.MAX_UNITS
    view.put(ASSETS, ins.asset, Asset("cash", "", (ins.asset,), ins.name, ins.decimals, owners, most, False, 0))
    ctx.emit(AssetRegistered(ins.asset, "cash", "", ins.name, ins.decimals, owners, most))
    adopt(view, ctx, ins.asset, owners, ins.terms, 1)
