"""Distributions with how far each has come, and the income of every line that was entitled."""

from typing import Any, Final

from stoa.kernel.base import figures
from stoa.readmodel.chain import as_json
from stoa.readmodel.draft import At, Draft, Handler, Row, Tagged
from stoa.readmodel.reasons import reasons_of
from stoa.readmodel.schema import ACCOUNTS, DISTRIBUTIONS, INCOME

PAID: Final = "corporate_actions.income_paid.v1"
UNCLAIMED: Final = "corporate_actions.income_unclaimed.v1"


def prefetch(draft: Draft, tagged: Tagged) -> None:
    """Read what is known of the lines that are dealt with."""
    lines = [one for tag in (PAID, UNCLAIMED) for one in tagged.get(tag, ())]
    draft.rows(INCOME).load((one.distribution, one.account) for one in lines)
    draft.rows(ACCOUNTS).load((one.account,) for one in lines)


def _announced(draft: Draft, at: At, event: Any) -> None:
    terms = event.terms
    names = ("asset", "pays", "payer", "pool", "record", "payment", "tax_account", "document")
    progress = dict.fromkeys(("units", "holders", "net", "tax", "unclaimed", "residue"), 0)
    draft.rows(DISTRIBUTIONS).put(
        {
            "code": event.distribution,
            **{name: getattr(terms, name) for name in names},
            "per_unit_over": terms.per_unit.over,  # 0: the whole pool pro rata
            "per_unit_under": terms.per_unit.under,
            "default_rate": as_json(figures(terms.default_rate)),
            "rates": as_json([figures(rate) for rate in terms.rates]),
            "announced": at.time,
            "status": "announced",
            "reason": "",
            **progress,
        }
    )


def _change(draft: Draft, code: str, **changes: object) -> None:
    rows = draft.rows(DISTRIBUTIONS)
    rows.put({**rows.need(code), **changes})


def _cancelled(draft: Draft, at: At, event: Any) -> None:
    _change(draft, event.distribution, status="cancelled", reason=event.reason)


def _recorded(draft: Draft, at: At, event: Any) -> None:
    _change(draft, event.distribution, status="recorded", units=event.units, pool=event.pool)


def _underfunded(draft: Draft, at: At, event: Any) -> None:
    reason = f"the pool of {event.pool} does not suffice for {event.needed}"
    _change(draft, event.distribution, status="underfunded", units=event.units, pool=event.pool, reason=reason)


def _income(draft: Draft, at: At, event: Any) -> Row:
    """The line's row; its tax and totals are entered in the distribution when the line is first dealt with."""
    terms = draft.rows(DISTRIBUTIONS).need(event.distribution)
    _change(draft, event.distribution, holders=terms["holders"] + 1, tax=terms["tax"] + event.tax)
    names = ("distribution", "account", "units", "gross", "tax", "net", "country")
    return {
        **{name: getattr(event, name) for name in names},
        "party": draft.rows(ACCOUNTS).need(event.account)["party"],
        "asset": terms["asset"],
        "pays": terms["pays"],
        "rate_over": event.rate.over,
        "rate_under": event.rate.under,
        "time": at.time,
    }


def _paid(draft: Draft, at: At, event: Any) -> None:
    rows = draft.rows(INCOME)
    waiting = rows.get(event.distribution, event.account)
    rows.put({**(waiting or _income(draft, at, event)), "target": event.to, "paid": at.time, "reasons": "[]"})
    terms = draft.rows(DISTRIBUTIONS).need(event.distribution)
    unclaimed = terms["unclaimed"] - (event.net if waiting else 0)
    _change(draft, event.distribution, net=terms["net"] + event.net, unclaimed=unclaimed)


def _unclaimed(draft: Draft, at: At, event: Any) -> None:
    row, reasons = _income(draft, at, event), as_json(reasons_of(event.reasons))
    draft.rows(INCOME).put({**row, "target": event.account, "paid": 0, "reasons": reasons})
    terms = draft.rows(DISTRIBUTIONS).need(event.distribution)
    _change(draft, event.distribution, unclaimed=terms["unclaimed"] + event.net)


def _completed(draft: Draft, at: At, event: Any) -> None:
    _change(draft, event.distribution, status="complete", residue=event.residue)


HANDLERS: Final[dict[str, Handler]] = {
    "corporate_actions.announced.v1": _announced,
    "corporate_actions.cancelled.v1": _cancelled,
    "corporate_actions.recorded.v1": _recorded,
    "corporate_actions.underfunded.v1": _underfunded,
    PAID: _paid,
    UNCLAIMED: _unclaimed,
    "corporate_actions.completed.v1": _completed,
}
