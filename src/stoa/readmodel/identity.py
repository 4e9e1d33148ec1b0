"""Institutions, parties and accounts as rows, from genesis on. An account's party and custodian never change."""

from typing import Any, Final

from stoa.kernel.identifiers import account_id
from stoa.ledger.catalog import Genesis
from stoa.readmodel.chain import as_json
from stoa.readmodel.draft import At, Draft, Handler
from stoa.readmodel.schema import ACCOUNTS, INSTITUTIONS, PARTIES


def found(draft: Draft, genesis: Genesis) -> None:
    """Enter the founders, who are there without an event."""
    for one in genesis.founders:
        account = account_id(one.threshold, one.keys)
        _institution(draft, one.institution, one.name, one.country, one.roles, account, True)
        _party(draft, one.party, True, one.institution, genesis.time)
        _account(draft, account, one.party, one.institution, one.threshold, one.keys, genesis.time)


def _institution(
    draft: Draft, code: str, name: str, country: str, roles: tuple[str, ...], account: bytes, active: bool
) -> None:
    draft.rows(INSTITUTIONS).put(
        {
            "code": code,
            "name": name,
            "country": country,
            "roles": as_json(roles),
            "account": account,
            "active": active,
        }
    )


def _party(draft: Draft, party: int, entity: bool, keeper: str, registered: int) -> None:
    draft.rows(PARTIES).put({"party": party, "entity": entity, "keeper": keeper, "registered": registered})


def _account(
    draft: Draft, account: bytes, party: int, custodian: str, threshold: int, keys: tuple[bytes, ...], opened: int
) -> None:
    draft.rows(ACCOUNTS).put(
        {
            "account": account,
            "party": party,
            "custodian": custodian,
            "threshold": threshold,
            "keys": as_json([key.hex() for key in keys]),
            "frozen": False,
            "frozen_reason": "",
            "successor": b"",
            "opened": opened,
        }
    )


def _institution_registered(draft: Draft, at: At, event: Any) -> None:
    _institution(draft, event.institution, event.name, event.country, event.roles, event.account, event.active)


def _party_registered(draft: Draft, at: At, event: Any) -> None:
    _party(draft, event.party, event.entity, event.keeper, at.time)


def _account_opened(draft: Draft, at: At, event: Any) -> None:
    _account(draft, event.account, event.party, event.custodian, event.threshold, event.keys, at.time)


def _change(draft: Draft, account: bytes, **changes: object) -> None:
    rows = draft.rows(ACCOUNTS)
    rows.put({**rows.need(account), **changes})


def _keys_rotated(draft: Draft, at: At, event: Any) -> None:
    keys = as_json([key.hex() for key in event.keys])
    _change(draft, event.account, threshold=event.threshold, keys=keys)


def _account_freeze_set(draft: Draft, at: At, event: Any) -> None:
    _change(draft, event.account, frozen=event.frozen, frozen_reason=event.reason if event.frozen else "")


def _account_recovered(draft: Draft, at: At, event: Any) -> None:
    _change(draft, event.account, successor=event.successor)


HANDLERS: Final[dict[str, Handler]] = {
    "identity.institution_registered.v1": _institution_registered,
    "identity.party_registered.v1": _party_registered,
    "identity.account_opened.v1": _account_opened,
    "identity.keys_rotated.v1": _keys_rotated,
    "identity.account_freeze_set.v1": _account_freeze_set,
    "settlement.recovered.v1": _account_recovered,
}
