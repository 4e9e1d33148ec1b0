"""Claims, rules and packs with all their versions, exemptions, and the positions of persons as the ledger counts them.

A person is counted in a scope from his first unit to his last, under the country and category that counted when he
entered, or that a trusted institution attested since: the same rule as the ledger's own, so the counts agree.
"""

import json
from typing import Any, Final

import msgspec

from stoa.readmodel.chain import as_json
from stoa.readmodel.draft import At, Draft, Handler, Row
from stoa.readmodel.schema import (
    CLAIMS,
    EXEMPTIONS,
    PACK_RULES,
    PACK_SCOPES,
    PACK_VERSIONS,
    PACKS,
    POSITIONS,
    PROFILES,
    RULES,
)

COUNTRY_TOPIC: Final = "identity"
CATEGORY_TOPIC: Final = "category"
CURRENT: Final = 0  # the version under which the profile in force is kept besides its own


def _claim_issued(draft: Draft, at: At, event: Any) -> None:
    draft.rows(CLAIMS).put(
        {
            "party": event.party,
            "topic": event.topic,
            "issuer": event.issuer,
            "value": event.value,
            "issued": at.time,
            "expires": event.expires,
            "revoked": False,
            "reason": "",
        }
    )


def _claim_revoked(draft: Draft, at: At, event: Any) -> None:
    rows = draft.rows(CLAIMS)
    rows.put({**rows.need(event.party, event.topic, event.issuer), "revoked": True, "reason": event.reason})


def _rules_adopted(draft: Draft, at: At, event: Any) -> None:
    terms, before = event.terms, draft.rows(PROFILES).get(event.scope, CURRENT)
    profile = {
        "scope": event.scope,
        "owners": as_json(event.owners),
        "trusted": as_json({trust.topic: trust.issuers for trust in terms.trusted}),
        "countries": as_json(terms.countries),
        "ruled": event.version,  # the version of the rules that hold in it
        "packs": "[]" if before is None else before["packs"],
        "adopted": at.time,
    }
    for version in (event.version, CURRENT):
        draft.rows(PROFILES).put({**profile, "version": version})
    for place, rule in enumerate(terms.rules):
        draft.add(RULES, {"scope": event.scope, "version": event.version, "place": place, **_rule(rule)})


def _packs_named(draft: Draft, at: At, event: Any) -> None:
    profiles, scopes = draft.rows(PROFILES), draft.rows(PACK_SCOPES)
    before = profiles.need(event.scope, CURRENT)
    for code in json.loads(before["packs"]):
        scopes.remove(code, event.scope)
    for code in event.packs:
        scopes.put({"code": code, "scope": event.scope, "version": event.version})
    for version in (event.version, CURRENT):
        profiles.put({**before, "version": version, "packs": as_json(event.packs), "adopted": at.time})


def _pack_adopted(draft: Draft, at: At, event: Any) -> None:
    key = {"code": event.pack, "version": event.version}
    draft.rows(PACKS).put({**key, "retired": 0})
    titles = {"title_en": event.title_en, "title_ko": event.title_ko}
    draft.rows(PACK_VERSIONS).put({**key, **titles, "adopted": at.time})
    for place, rule in enumerate(event.rules):
        draft.add(PACK_RULES, {**key, "place": place, **_rule(rule)})


def _pack_retired(draft: Draft, at: At, event: Any) -> None:
    rows = draft.rows(PACKS)
    rows.put({**rows.need(event.pack), "retired": at.time})


def _rule(rule: Any) -> Row:
    row = {name: getattr(rule, name) for name in ("id", "jurisdiction", "force", "effective", "until", "source")}
    sentences = {"en": rule.en or rule.id, "ko": rule.ko or rule.id}
    return {
        **row, **sentences, "phases": as_json(rule.phases), "when": as_json(rule.when), "require": as_json(rule.require)
    }  # fmt: skip


def _exemption_granted(draft: Draft, at: At, event: Any) -> None:
    draft.rows(EXEMPTIONS).put(msgspec.structs.asdict(event))


def _holder_recounted(draft: Draft, at: At, event: Any) -> None:
    rows = draft.rows(POSITIONS)
    rows.put({**rows.need(event.scope, event.party), "country": event.country, "category": event.category})


def count(draft: Draft, at: At, scopes: tuple[str, ...], sender: int, receiver: int, units: int) -> None:
    """Bring positions up to a movement between two persons; 0 is nobody."""
    if sender == receiver:
        return
    rows = draft.rows(POSITIONS)
    for scope in scopes:
        if sender:
            row = rows.need(scope, sender)
            if row["units"] == units:
                rows.remove(scope, sender)
            else:
                rows.put({**row, "units": row["units"] - units})
        if receiver:
            row = rows.get(scope, receiver) or _entering(draft, at, scope, receiver)
            rows.put({**row, "units": row["units"] + units})


def _entering(draft: Draft, at: At, scope: str, party: int) -> Row:
    trusted = json.loads(draft.rows(PROFILES).need(scope, CURRENT)["trusted"])
    country, category = (
        _attested(draft, at, party, topic, trusted.get(topic, [])) for topic in (COUNTRY_TOPIC, CATEGORY_TOPIC)
    )
    return {"scope": scope, "party": party, "units": 0, "country": country, "category": category}


def _attested(draft: Draft, at: At, party: int, topic: str, issuers: list[str]) -> str:
    """The value of the first claim that counts at the block's time, in the profile's order of preference."""
    for issuer in issuers:
        claim = draft.rows(CLAIMS).get(party, topic, issuer)
        if claim is not None and not claim["revoked"] and claim["expires"] > at.time:
            return str(claim["value"])
    return ""


HANDLERS: Final[dict[str, Handler]] = {
    "compliance.claim_issued.v1": _claim_issued,
    "compliance.claim_revoked.v1": _claim_revoked,
    "compliance.rules_adopted.v1": _rules_adopted,
    "compliance.packs_named.v1": _packs_named,
    "compliance.pack_adopted.v1": _pack_adopted,
    "compliance.pack_retired.v1": _pack_retired,
    "compliance.exemption_granted.v1": _exemption_granted,
    "compliance.holder_recounted.v1": _holder_recounted,
}
