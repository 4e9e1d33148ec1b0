"""The kinds of change: what speaks against each, and how it is made. Asked when proposed, and again when due."""

from collections.abc import Collection

from stoa.kernel import limits, signing
from stoa.kernel.base import Context, Rejections
from stoa.ledger.compliance.packs import adopt_pack, adoption_rejections, retire_pack, retirement_rejections
from stoa.ledger.governance.errors import (
    AlreadyValidator,
    CandidateUnknown,
    LastValidator,
    NotValidator,
    ParameterOutOfBounds,
    ParameterRepeated,
    ParameterUnknown,
    QuorumImpossible,
    TooManyValidators,
    VotingKeyInvalid,
    VotingKeyTaken,
)
from stoa.ledger.governance.events import ParameterSet, ValidatorAdmitted, ValidatorRemoved, VotingKeyRotated
from stoa.ledger.governance.members import members, quorum_of
from stoa.ledger.governance.model import (
    BOUNDS,
    PARAMETERS,
    QUORUM,
    VALIDATORS,
    AdmitValidator,
    AdoptPack,
    Change,
    RemoveValidator,
    RetirePack,
    RotateVotingKey,
    SetParameters,
    parameter,
)
from stoa.ledger.identity.errors import NothingToChange
from stoa.ledger.identity.model import INSTITUTIONS
from stoa.ledger.state import State


def change_rejections(view: State, change: Change) -> Rejections:
    """Set: ParameterUnknown, ParameterOutOfBounds, ParameterRepeated, NothingToChange, QuorumImpossible.
    Admit: CandidateUnknown, AlreadyValidator, VotingKeyInvalid, VotingKeyTaken, TooManyValidators, QuorumImpossible.
    Remove: NotValidator, LastValidator, QuorumImpossible.
    Rotate: NotValidator, VotingKeyInvalid, VotingKeyTaken, NothingToChange.
    Adopt a pack: RulesInvalid, NothingToChange, TooManyPacks. Retire one: PackUnknown, PackInUse."""
    match change:
        case SetParameters():
            yield from _set_rejections(view, change)
        case AdmitValidator():
            yield from _admit_rejections(view, change)
        case RemoveValidator():
            yield from _remove_rejections(view, change)
        case RotateVotingKey():
            yield from _rotate_rejections(view, change)
        case AdoptPack(code, title_en, title_ko, rules):
            yield from adoption_rejections(view, code, title_en, title_ko, rules)
        case RetirePack(code):
            yield from retirement_rejections(view, code)


def _set_rejections(view: State, change: SetParameters) -> Rejections:
    for name, value in _pairs(change):
        if name not in BOUNDS:
            yield ParameterUnknown(name)
        elif not BOUNDS[name].low <= value <= BOUNDS[name].high:
            yield ParameterOutOfBounds(name, value, *BOUNDS[name])
    wanted = dict(_pairs(change))
    if len(wanted) < len(change.settings):
        yield ParameterRepeated(len(change.settings), len(wanted))
    if all(name in BOUNDS and parameter(view, name) == value for name, value in wanted.items()):
        yield NothingToChange("the parameters have these values")
    if QUORUM in wanted:
        yield from _quorum_rejections(view, members(view).keys, wanted[QUORUM])


def _admit_rejections(view: State, change: AdmitValidator) -> Rejections:
    validators = members(view).keys
    institution = view.get(INSTITUTIONS, change.institution)
    if institution is None or not institution.active:
        yield CandidateUnknown(change.institution)
    if change.institution in validators:
        yield AlreadyValidator(change.institution)
    yield from _key_rejections(view, change)
    if len(validators) >= limits.MAX_VALIDATORS:
        yield TooManyValidators(len(validators), limits.MAX_VALIDATORS)
    yield from _quorum_rejections(view, {**validators, change.institution: change.key}, parameter(view, QUORUM))


def _remove_rejections(view: State, change: RemoveValidator) -> Rejections:
    left = dict(members(view).keys)
    if left.pop(change.institution, None) is None:
        yield NotValidator(change.institution)
        return
    if not left:
        yield LastValidator(change.institution)
        return
    yield from _quorum_rejections(view, left, parameter(view, QUORUM))


def _rotate_rejections(view: State, change: RotateVotingKey) -> Rejections:
    present = view.get(VALIDATORS, change.institution)
    if present is None:
        yield NotValidator(change.institution)
    yield from _key_rejections(view, change)
    if present == change.key:
        yield NothingToChange(f"{change.institution} votes with this key")


def _key_rejections(view: State, change: AdmitValidator | RotateVotingKey) -> Rejections:
    """A voting key must be usable, and speak for one validator only: else one machine would have two votes."""
    if not signing.is_public_key(change.key):
        yield VotingKeyInvalid(change.institution, change.key)
    for name, key in members(view).keys.items():
        if key == change.key and name != change.institution:
            yield VotingKeyTaken(change.institution, name)


def _quorum_rejections(view: State, validators: Collection[str], rule: int) -> Rejections:
    """Those who may vote here, being active, must be able to reach the quorum: else nothing could change any more."""
    found = [view.get(INSTITUTIONS, name) for name in validators]
    active = sum(1 for institution in found if institution is not None and institution.active)
    quorum = quorum_of(len(validators), rule)
    if active < quorum:
        yield QuorumImpossible(len(validators), active, quorum)


def _pairs(change: SetParameters) -> list[tuple[str, int]]:
    return [(setting.name, setting.value) for setting in change.settings]


def make_change(view: State, ctx: Context, change: Change) -> None:
    """Let the change take effect."""
    match change:
        case SetParameters():
            for name, value in _pairs(change):
                before = parameter(view, name)
                if value != before:
                    view.put(PARAMETERS, name, value)
                    ctx.emit(ParameterSet(name, before, value))
        case AdmitValidator(institution, key):
            view.put(VALIDATORS, institution, key)
            ctx.emit(ValidatorAdmitted(institution, key))
        case RemoveValidator(institution):
            view.put(VALIDATORS, institution, None)
            ctx.emit(ValidatorRemoved(institution))
        case RotateVotingKey(institution, key):
            view.put(VALIDATORS, institution, key)
            ctx.emit(VotingKeyRotated(institution, key))
        case AdoptPack(code, title_en, title_ko, rules):
            adopt_pack(view, ctx, code, title_en, title_ko, rules)
        case RetirePack(code):
            retire_pack(view, ctx, code)
