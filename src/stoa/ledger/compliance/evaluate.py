"""The one evaluation of a movement against the rules of its scopes. Every path that moves value ends here."""

from stoa.kernel.base import Rejection, Rejections
from stoa.ledger.compliance.case import NO_POSITION, NOBODY, Case, Movement
from stoa.ledger.compliance.compile import CompiledProfile, RulesByPhase, compile_profile, compile_rules, figures
from stoa.ledger.compliance.errors import (
    ClaimExpired,
    ClaimRevoked,
    CountryNotOpen,
    NotIdentified,
    PackRuleFailed,
    ProfileUnknown,
    RuleFailed,
)
from stoa.ledger.compliance.model import (
    ANYWHERE,
    EXEMPTIONS,
    IDENTITY,
    NAMED_PACKS,
    PACKS,
    POSITIONS,
    PROFILES,
    Pack,
    Rule,
)
from stoa.ledger.state import State


def profile_of(view: State, scope: str) -> CompiledProfile | None:
    """The scope's rules, compiled; compiled again only when the profile's row, or that of a pack in it, has changed."""
    profile = view.rows[PROFILES][scope]
    if profile is None:
        return None
    kept = view.memo.get(scope)
    if kept is not None and kept[0] is profile:
        compiled = kept[1]
        assert isinstance(compiled, CompiledProfile)
        if not compiled.packs or _in_force(view, compiled):
            return compiled
    named = view.get(NAMED_PACKS, scope)
    packs = tuple([(code, view.need(PACKS, code)) for code in named.codes]) if named else ()
    compiled = compile_profile(profile, packs, [_rules_of_pack(view, code, pack) for code, pack in packs])
    view.memo[scope] = (profile, compiled)
    return compiled


def _in_force(view: State, compiled: CompiledProfile) -> bool:
    """Whether the packs in it are the versions in force."""
    rows = view.rows[PACKS]
    for code, pack in compiled.packs:  # noqa: SIM110 - every movement comes by here, and all() costs twice
        if rows[code] is not pack:
            return False
    return True


def _rules_of_pack(view: State, code: str, pack: Pack) -> RulesByPhase:
    """The pack's rules, compiled once a version however many scopes name it."""
    memory = f"pack {code}"  # no scope has a space in its code
    kept = view.memo.get(memory)
    if kept is None or kept[0] is not pack:
        kept = view.memo[memory] = (pack, compile_rules(pack.rules, (code, pack.version)))
    rules = kept[1]
    assert isinstance(rules, dict)
    return rules


Cases = list[tuple[CompiledProfile | None, Case]]  # of one movement: one in each of its scopes, with the scope's rules


def cases_of(view: State, time: int, move: Movement) -> Cases:
    """The cases of a movement, as long as the state stays as it is: to be judged, and then to be counted. Positions are
    looked up once for both."""
    cases: Cases = []
    positions, sender, receiver = view.rows[POSITIONS], move.sender, move.receiver
    for scope in move.scopes:
        profile = profile_of(view, scope)
        sender_before = positions[sender, scope] or NO_POSITION
        receiver_before = positions[receiver, scope] or NO_POSITION
        trusted = profile.trusted if profile else {}
        cases.append((profile, Case(view, time, scope, trusted, move, sender_before, receiver_before)))
    return cases


def movement_rejections(cases: Cases) -> Rejections:
    """Every reason that the rules give against the movement, gravest first (the order is the package's)."""
    for profile, case in cases:
        scope, time, move = case.scope, case.time, case.move
        if profile is None:
            yield ProfileUnknown(scope)
            continue
        if move.receiver != NOBODY:
            country = case.claim(move.receiver, IDENTITY)
            if country not in profile.countries and (not country or ANYWHERE not in profile.countries):
                yield _unidentified(case) if not country else CountryNotOpen(scope, country)
        for rule, when, require, source in profile.rules[move.phase]:
            if (
                rule.effective <= time
                and (not rule.until or time < rule.until)
                and (when is None or when(case))
                and not require(case)
                and not _exempt(case, rule.id if source is None else f"{source[0]}/{rule.id}")
            ):
                yield _failed(case, profile, rule, source)


def _failed(case: Case, profile: CompiledProfile, rule: Rule, source: tuple[str, int] | None) -> Rejection:
    """The rule does not hold: it is named with the version of the profile, or of the pack, that it is in."""
    found, en, ko = figures(rule.require, case), rule.en or rule.id, rule.ko or rule.id
    if source is None:
        return RuleFailed(case.scope, rule.id, profile.version, found, en, ko)
    pack, version = source
    return PackRuleFailed(case.scope, pack, rule.id, version, found, en, ko)


def _unidentified(case: Case) -> Rejection:
    party = case.move.receiver
    standing = case.standing(party, IDENTITY)
    if standing.claim is None:
        return NotIdentified(case.scope, party)
    if standing.claim.revoked:
        return ClaimRevoked(case.scope, party, IDENTITY, standing.issuer)
    return ClaimExpired(case.scope, party, IDENTITY, standing.issuer, standing.claim.expires, case.time)


def _exempt(case: Case, rule: str) -> bool:
    """Whether a party of the movement is exempt from the rule now."""
    for party in (case.move.sender, case.move.receiver):
        exemption = case.view.get(EXEMPTIONS, (case.scope, rule, party)) if party != NOBODY else None
        if exemption is not None and case.time < exemption.until:
            return True
    return False
