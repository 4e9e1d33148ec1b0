"""What happened in governance."""

from stoa.kernel.base import Event, Reasons
from stoa.ledger.governance.model import Change


class ChangeProposed(Event, tag="governance.proposed.v1"):
    """A validator proposed a change for the block of a height. Its own vote follows."""

    proposal: int
    proposer: str
    change: Change
    height: int
    expires: int
    reason: str


class VoteCast(Event, tag="governance.vote_cast.v1"):
    """A validator voted on a proposal."""

    proposal: int
    institution: str
    yes: bool


class ChangeEnacted(Event, tag="governance.enacted.v1"):
    """A proposal passed with ``yes`` of ``validators`` members' votes, ``quorum`` being needed. Its changes follow."""

    proposal: int
    yes: int
    quorum: int
    validators: int


class ProposalLapsed(Event, tag="governance.lapsed.v1"):
    """A proposal came to nothing, for these reasons, with ``yes`` of ``validators`` members' votes."""

    proposal: int
    yes: int
    quorum: int
    validators: int
    reasons: Reasons


class ParameterSet(Event, tag="governance.parameter_set.v1"):
    """A parameter has another value."""

    name: str
    before: int
    value: int


class ValidatorAdmitted(Event, tag="governance.validator_admitted.v1"):
    """The institution validates from the next block on, with this voting key."""

    institution: str
    key: bytes


class ValidatorRemoved(Event, tag="governance.validator_removed.v1"):
    """The institution validates no more from the next block on."""

    institution: str


class VotingKeyRotated(Event, tag="governance.voting_key_rotated.v1"):
    """The validator has another voting key from the next block on."""

    institution: str
    key: bytes
