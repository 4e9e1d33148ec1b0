"""Offerings with the book of their subscriptions, and what became of each."""

from typing import Any, Final

from stoa.kernel.base import figures
from stoa.readmodel.chain import as_json
from stoa.readmodel.draft import At, Draft, Handler, Tagged
from stoa.readmodel.reasons import reasons_of
from stoa.readmodel.schema import OFFERINGS, SUBSCRIPTIONS

WITHDRAWN: Final = "offerings.withdrawn.v1"
SETTLED: Final = "offerings.subscription_settled.v1"
REFUNDED: Final = "offerings.subscription_refunded.v1"
TERMS: Final = (
    "units", "soft_cap", "hard_cap", "minimum", "limit", "opens", "closes", "locked", "allotment", "revocable",
    "closable", "proceeds",
)  # fmt: skip


def prefetch(draft: Draft, tagged: Tagged) -> None:
    """Read the subscriptions that will end."""
    ended = [one for tag in (WITHDRAWN, SETTLED, REFUNDED) for one in tagged.get(tag, ())]
    draft.rows(SUBSCRIPTIONS).load((one.offering, one.number) for one in ended)


def _opened(draft: Draft, at: At, event: Any) -> None:
    terms = {name: getattr(event.terms, name) for name in TERMS}
    draft.rows(OFFERINGS).put(
        {
            "code": event.offering,
            "asset": event.asset,
            "currency": event.currency,
            **terms,
            "tiers": as_json([figures(tier) for tier in event.terms.tiers]),
            "stage": "open",
            "subscriptions": 0,
            "subscribed": 0,
            "held": 0,
            "rule": "",
            "sold": 0,
            "paid": 0,
            "opened": at.time,
        }
    )


def _change(draft: Draft, code: str, **changes: object) -> None:
    rows = draft.rows(OFFERINGS)
    rows.put({**rows.need(code), **changes})


def _grow(draft: Draft, code: str, **steps: int) -> None:
    rows = draft.rows(OFFERINGS)
    row = rows.need(code)
    rows.put({**row, **{name: row[name] + step for name, step in steps.items()}})


def _subscribed(draft: Draft, at: At, event: Any) -> None:
    row = {name: getattr(event, name) for name in ("offering", "number", "account", "party", "units", "price", "cost")}
    outcome = {"state": "open", "allotted": 0, "paid": 0, "reasons": "[]", "ended": 0}
    draft.rows(SUBSCRIPTIONS).put({**row, "made": at.time, **outcome})
    _grow(draft, event.offering, subscriptions=1, subscribed=event.units, held=event.cost)


def _end(draft: Draft, at: At, event: Any, state: str, **outcome: object) -> int:
    """End a subscription. Returns the cash that was held for it."""
    rows = draft.rows(SUBSCRIPTIONS)
    row = rows.need(event.offering, event.number)
    rows.put({**row, "state": state, "ended": at.time, **outcome})
    return int(row["cost"])


def _withdrawn(draft: Draft, at: At, event: Any) -> None:
    cost = _end(draft, at, event, "withdrawn")
    _grow(draft, event.offering, subscriptions=-1, subscribed=-event.units, held=-cost)


def _closing(draft: Draft, at: At, event: Any) -> None:
    _change(draft, event.offering, stage="closing")


def _allotment_decided(draft: Draft, at: At, event: Any) -> None:
    _change(draft, event.offering, rule=event.rule)


def _settled(draft: Draft, at: At, event: Any) -> None:
    cost = _end(draft, at, event, "settled", allotted=event.allotted, paid=event.paid)
    _grow(draft, event.offering, held=-cost, sold=event.allotted, paid=event.paid)


def _refunded(draft: Draft, at: At, event: Any) -> None:
    cost = _end(draft, at, event, "refunded", reasons=as_json(reasons_of(event.reasons)))
    _grow(draft, event.offering, held=-cost)


def _ended(draft: Draft, at: At, event: Any) -> None:
    _change(draft, event.offering, stage=event.stage)


HANDLERS: Final[dict[str, Handler]] = {
    "offerings.opened.v1": _opened,
    "offerings.subscribed.v1": _subscribed,
    WITHDRAWN: _withdrawn,
    "offerings.closing.v1": _closing,
    "offerings.allotment_decided.v1": _allotment_decided,
    SETTLED: _settled,
    REFUNDED: _refunded,
    "offerings.ended.v1": _ended,
}
