"""Why governance refuses, and why a proposal lapsed. Numbers 1800 to 1899 are permanent."""

from stoa.kernel.base import Rejection


class NotValidator(Rejection, tag=1800):
    """Only validators propose and vote, are removed or get another voting key."""

    institution: str
    en = "{institution} is not a validator."
    ko = "{institution}은(는) 검증기관이 아닙니다."


class ProposalUnknown(Rejection, tag=1801):
    """No proposal has this number."""

    proposal: int
    en = "There is no proposal {proposal}."
    ko = "안건 {proposal}번이 없습니다."


class ProposalClosed(Rejection, tag=1802):
    """The proposal is decided."""

    proposal: int
    stage: str
    en = "The proposal {proposal} is decided: it is {stage}."
    ko = "안건 {proposal}번은 이미 종결되었습니다({stage})."


class VotingOver(Rejection, tag=1803):
    """The proposal's time is over."""

    proposal: int
    expires: int
    time: int
    en = "The time of proposal {proposal} was over at {expires}; it is {time} now."
    ko = "안건 {proposal}번의 기한 {expires}이(가) 지났습니다. 현재 {time}입니다."


class AlreadyVoted(Rejection, tag=1804):
    """A validator has one vote on a proposal, and does not take it back."""

    proposal: int
    institution: str
    en = "{institution} has voted on proposal {proposal} already."
    ko = "{institution}은(는) 안건 {proposal}번에 이미 투표했습니다."


class HeightNotAhead(Rejection, tag=1805):
    """The block of the stated height has begun or is past."""

    height: int
    present: int
    en = "A change for block {height} comes too late: this is block {present}."
    ko = "현재 블록이 {present}이므로 블록 {height}에 대한 변경은 제안할 수 없습니다."


class VotingPeriodInvalid(Rejection, tag=1806):
    """The expiry is past, or too far ahead."""

    expires: int
    time: int
    latest: int
    en = "A proposal must expire after {time} and by {latest} at the latest, not at {expires}."
    ko = "안건의 기한은 {time} 이후부터 {latest}까지여야 합니다({expires} 불가)."


class TooManyProposals(Rejection, tag=1807):
    """The institution's open proposals fill its share of the agenda."""

    institution: str
    waiting: int
    most: int
    en = "{institution} has {waiting} open proposals; {most} are allowed."
    ko = "{institution}의 진행 중인 안건이 {waiting}건으로, 허용 한도는 {most}건입니다."


class ParameterUnknown(Rejection, tag=1808):
    """No parameter has this name."""

    parameter: str
    en = "There is no parameter {parameter}."
    ko = "운영 변수 {parameter}이(가) 없습니다."


class ParameterOutOfBounds(Rejection, tag=1809):
    """The value is not within the parameter's bounds."""

    parameter: str
    value: int
    low: int
    high: int
    en = "The parameter {parameter} must lie between {low} and {high}, not at {value}."
    ko = "운영 변수 {parameter}의 값은 {low}에서 {high} 사이여야 합니다({value} 불가)."


class ParameterRepeated(Rejection, tag=1810):
    """A parameter is named twice in one change."""

    settings: int
    parameters: int
    en = "The change has {settings} settings for {parameters} parameters: each may be named once."
    ko = "운영 변수 {parameters}개에 대해 설정이 {settings}건 있습니다. 변수마다 한 번만 지정할 수 있습니다."


class CandidateUnknown(Rejection, tag=1811):
    """Only an active institution becomes a validator."""

    institution: str
    en = "There is no active institution {institution}."
    ko = "활성 기관 {institution}이(가) 없습니다."


class AlreadyValidator(Rejection, tag=1812):
    """The institution is a validator."""

    institution: str
    en = "{institution} is a validator already."
    ko = "{institution}은(는) 이미 검증기관입니다."


class VotingKeyInvalid(Rejection, tag=1813):
    """The voting key is not a point of the curve."""

    institution: str
    key: bytes
    en = "The voting key {key} for {institution} is not a point of secp256k1."
    ko = "{institution}의 투표 키 {key}은(는) secp256k1의 점이 아닙니다."


class VotingKeyTaken(Rejection, tag=1814):
    """Another validator votes with this key."""

    institution: str
    holder: str
    en = "The voting key for {institution} is that of {holder}."
    ko = "{institution}의 투표 키로 지정한 키를 {holder}이(가) 사용하고 있습니다."


class TooManyValidators(Rejection, tag=1815):
    """A certificate has room for so many votes only."""

    validators: int
    most: int
    en = "There are {validators} validators; {most} are allowed."
    ko = "검증기관이 {validators}개로, 허용 한도는 {most}개입니다."


class LastValidator(Rejection, tag=1816):
    """Without a validator no block would ever follow."""

    institution: str
    en = "{institution} is the last validator and cannot be removed."
    ko = "{institution}은(는) 마지막 검증기관이므로 제외할 수 없습니다."


class QuorumImpossible(Rejection, tag=1817):
    """After the change too few validators would be active to change anything again."""

    validators: int
    active: int
    quorum: int
    en = "Of {validators} validators {active} would be active; a quorum needs {quorum}."
    ko = "변경 후 검증기관 {validators}개 중 활성 기관이 {active}개로, 의결 정족수 {quorum}에 미달합니다."


class QuorumMissed(Rejection, tag=1818):
    """At its height too few of the members had voted for the proposal."""

    proposal: int
    yes: int
    quorum: int
    validators: int
    en = "{yes} of {validators} validators voted for proposal {proposal}; a quorum needs {quorum}."
    ko = "안건 {proposal}번에 검증기관 {validators}개 중 {yes}개가 찬성하여 의결 정족수 {quorum}에 미달합니다."


class TooManyPacksAtHeight(Rejection, tag=1819):
    """A block tells only so many packs, whole, so that it stays one that can be sent."""

    height: int
    packs: int
    most: int
    en = "{packs} rule packs are proposed for block {height} already; {most} are allowed."
    ko = "블록 {height}에 제안된 규칙 묶음이 {packs}건으로, 허용 한도는 {most}건입니다."
