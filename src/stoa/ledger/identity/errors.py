"""Why identity refuses. Numbers 1100 to 1199 are permanent."""

from stoa.kernel.base import Rejection


class NotAuthorised(Rejection, tag=1100):
    """Nobody who signed may do this."""

    needed: str
    en = "Not authorised: this needs the signature of {needed}."
    ko = "권한이 없습니다. {needed}의 서명이 필요합니다."


class InstitutionUnknown(Rejection, tag=1101):
    """No active institution of this code, or it lacks the role."""

    institution: str
    role: str
    en = "There is no active institution {institution} with the role {role}."
    ko = "{role} 역할을 가진 활성 기관 {institution}이(가) 없습니다."


class InstitutionExists(Rejection, tag=1102):
    """The code is taken."""

    institution: str
    en = "The institution {institution} is registered already."
    ko = "기관 {institution}은(는) 이미 등록되어 있습니다."


class PartyUnknown(Rejection, tag=1103):
    """No party has this number."""

    party: int
    en = "No party has the number {party}."
    ko = "당사자 번호 {party}이(가) 없습니다."


class PartyExists(Rejection, tag=1104):
    """The number is taken."""

    party: int
    en = "The party {party} is registered already."
    ko = "당사자 {party}은(는) 이미 등록되어 있습니다."


class AccountUnknown(Rejection, tag=1105):
    """No account has this address."""

    account: bytes
    en = "There is no account {account}."
    ko = "계좌 {account}이(가) 없습니다."


class AccountExists(Rejection, tag=1106):
    """An account with this id is open already."""

    account: bytes
    en = "The account {account} is open already."
    ko = "계좌 {account}은(는) 이미 개설되어 있습니다."


class BadKeys(Rejection, tag=1107):
    """The keys do not make an account: repeated, not on the curve, or fewer than the threshold."""

    threshold: int
    keys: int
    why: str
    en = "The keys are not usable: {why} ({threshold} of {keys})."
    ko = "키를 사용할 수 없습니다: {why} ({keys}개 중 {threshold}개)."


class AccountFrozen(Rejection, tag=1108):
    """The account is frozen as a whole."""

    account: bytes
    en = "The account {account} is frozen."
    ko = "계좌 {account}이(가) 동결되어 있습니다."


class AccountMoved(Rejection, tag=1109):
    """The account was recovered to another one and takes no part any more."""

    account: bytes
    successor: bytes
    en = "The account {account} was recovered to {successor}."
    ko = "계좌 {account}은(는) {successor}(으)로 복구되었습니다."


class NothingToChange(Rejection, tag=1113):
    """The state is as asked already."""

    what: str
    en = "Nothing to change: {what}."
    ko = "변경할 내용이 없습니다: {what}."


class InstitutionMissing(Rejection, tag=1114):
    """No institution has this code, active or not."""

    institution: str
    en = "There is no institution {institution}."
    ko = "기관 {institution}이(가) 없습니다."


class LastRegistrar(Rejection, tag=1115):
    """Without an active registrar nobody could be admitted, suspended or reinstated again."""

    institution: str
    en = "{institution} is the last active registrar and must remain one."
    ko = "{institution}은(는) 마지막 활성 등록기관이므로 역할을 유지해야 합니다."
