"""The teller: pays one payee after the other out of the pool, and squares the books when he closes.

He lowers the hold and remits the tax once, at closing, so that a payee costs one movement and no more.
"""

from msgspec.structs import replace

from stoa.kernel.base import Context, Rejection, kept
from stoa.ledger.corporate_actions.entitlement import Entitlements
from stoa.ledger.corporate_actions.events import (
    DistributionCompleted,
    IncomePaid,
    IncomeUnclaimed,
    TaxRemitted,
)
from stoa.ledger.corporate_actions.funds import Fund, free, fund_of, latest, pay_out
from stoa.ledger.corporate_actions.model import PROGRESS, UNCLAIMED, Distribution, Entitlement, Progress, Unclaimed
from stoa.ledger.state import State


class Teller:
    """Serves one distribution within one act. Nothing else may touch the pool until ``close``."""

    def __init__(self, view: State, ctx: Context, distribution: str, terms: Distribution, progress: Progress) -> None:
        self.view, self.ctx, self.distribution, self.terms, self.progress = view, ctx, distribution, terms, progress
        self.fund: Fund = fund_of(view, distribution, terms)
        self.entitlements = Entitlements(view, ctx.time, terms, progress)
        self.spent = self.net = self.tax = self.unclaimed = self.holders = 0

    def serve(self, account: bytes, units: int) -> None:
        """Pay the line of this account at the record, or put its net by."""
        payee = latest(self.view, account)
        due = self.entitlements.of(payee, units)
        self.holders += 1
        self.tax += due.tax
        refused = self._pay(account, payee, due)
        if refused:
            self._put_by(account, due, refused)

    def claim(self, account: bytes) -> None:
        """Pay what was put by for this account; nothing stands against it any more."""
        key = (self.distribution, account)
        waiting = self.view.get(UNCLAIMED, key)
        if waiting is not None:
            self._pay(account, latest(self.view, account), waiting.entitlement)
            self.unclaimed -= waiting.entitlement.net
            self.view.put(UNCLAIMED, key, None)

    def _pay(self, account: bytes, payee: bytes, due: Entitlement) -> list[Rejection]:
        refused = pay_out(self.view, self.ctx, self.fund, payee, due.net, self.spent)
        if not refused:
            self.spent += due.net
            self.net += due.net
            self.ctx.emit(
                IncomePaid(
                    self.distribution, account, payee, due.units, due.gross, due.tax, due.net, due.rate, due.country
                )
            )
        return refused

    def _put_by(self, account: bytes, due: Entitlement, refused: list[Rejection]) -> None:
        self.unclaimed += due.net
        codes = tuple(reason.code for reason in refused)
        self.view.put(UNCLAIMED, (self.distribution, account), Unclaimed(due, codes))
        self.ctx.emit(
            IncomeUnclaimed(
                self.distribution, account, due.units, due.gross, due.tax, due.net, due.rate, due.country, kept(refused)
            )
        )

    def close(self, cursor: bytes, complete: bool) -> None:
        """Remit the tax, lower the hold by what was paid, and enter how far the distribution is."""
        before = self.progress
        waiting = self._remit(before.waiting + self.tax)
        after = replace(
            before,
            cursor=cursor,
            holders=before.holders + self.holders,
            net=before.net + self.net,
            tax=before.tax + self.tax,
            waiting=waiting,
            unclaimed=before.unclaimed + self.unclaimed,
        )
        free(self.view, self.ctx, self.fund, self.spent, "income")
        if complete:
            after = self._complete(after)
        self.view.put(PROGRESS, self.distribution, after)

    def _remit(self, amount: int) -> int:
        """Move the tax; returns what of it must wait."""
        to = latest(self.view, self.terms.tax_account)
        if not amount or pay_out(self.view, self.ctx, self.fund, to, amount, self.spent):
            return amount
        self.spent += amount
        self.ctx.emit(TaxRemitted(self.distribution, to, amount))
        return 0

    def _complete(self, progress: Progress) -> Progress:
        """Return the residue: the hold goes on for what waits, and for nothing else."""
        residue = progress.pool - progress.net - progress.tax - progress.unclaimed
        done = replace(progress, status="complete", residue=residue)
        fund = fund_of(self.view, self.distribution, self.terms)
        free(self.view, self.ctx, fund, fund.units - done.owed, "residue")
        self.ctx.emit(
            DistributionCompleted(
                self.distribution, done.holders, done.pool, done.net, done.tax, done.unclaimed, residue
            )
        )
        return done
