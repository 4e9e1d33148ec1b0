"""Why custody refuses: values with figures, and a sentence for people in English and Korean.

The order of the classes up to ``OverDailyLimit`` is the order of gravity in which a decision lists them.
"""

from typing import ClassVar

from stoa.kernel.base import figures
from stoa.kernel.codec import Shape


class Refusal(Shape):
    """Base of a reason why not. ``en`` and ``ko`` are sentences over the fields (``str.format``)."""

    en: ClassVar[str]
    ko: ClassVar[str]

    @property
    def name(self) -> str:
        """The permanent name, e.g. ``OverDailyLimit``."""
        return type(self).__name__

    def sentence(self, language: str = "en") -> str:
        """The reason as a sentence, in ``en`` or ``ko``."""
        return (self.ko if language == "ko" else self.en).format(**figures(self))


# ---- signing


class UnknownUser(Refusal):
    """Nobody of this name may act now."""

    user: str
    en = "There is no active user {user}."
    ko = "활성 상태인 사용자 {user}이(가) 없습니다."


class NoGrant(Refusal):
    """The policy says nothing about this user or his roles."""

    user: str
    en = "The signing policy grants nothing to {user}."
    ko = "서명 정책에 {user}에게 부여된 권한이 없습니다."


class AccountNotGranted(Refusal):
    """The account is not among those that the user may instruct."""

    user: str
    account: bytes
    en = "{user} may not instruct for the account {account}."
    ko = "{user}은(는) 계좌 {account}에 대해 지시할 수 없습니다."


class NoKey(Refusal):
    """The keystore has no active key for the account."""

    account: bytes
    en = "This institution keeps no active key of the account {account}."
    ko = "이 기관은 계좌 {account}의 활성 키를 보관하고 있지 않습니다."


class InstructionNotGranted(Refusal):
    """The instruction is not among those that the grant names."""

    user: str
    tag: str
    en = "{user} may not instruct {tag}."
    ko = "{user}은(는) {tag} 지시를 할 수 없습니다."


class IntentExpired(Refusal):
    """The intent is too old, or from the future. Times in milliseconds."""

    created: int
    expires: int
    now: int
    en = "The intent made at {created} could be signed until {expires}; it is now {now}."
    ko = "{created}에 작성된 지시는 {expires}까지만 서명할 수 있습니다(현재 {now})."


class AssetWithoutLimit(Refusal):
    """The grant sets limits, but none for this asset: that is not a licence."""

    grant: str
    asset: str
    en = "The grant {grant} sets no limit for {asset}."
    ko = "권한 {grant}에 {asset}의 한도가 정해져 있지 않습니다."


class OverTransactionLimit(Refusal):
    """More units of the asset in one transaction than the grant allows."""

    grant: str
    asset: str
    units: int
    limit: int
    en = "The transaction moves {units} of {asset}; the limit of one transaction is {limit}."
    ko = "거래 수량 {asset} {units}이(가) 1회 한도 {limit}을(를) 초과합니다."


class OverDailyLimit(Refusal):
    """More units of the asset in one UTC day than the grant allows the user."""

    grant: str
    asset: str
    units: int
    used: int
    limit: int
    en = "{used} of {asset} were signed today and {units} more are asked for; the limit of a day is {limit}."
    ko = "오늘 {asset} {used}이(가) 서명되었고 {units}을(를) 추가하면 1일 한도 {limit}을(를) 초과합니다."


# ---- dual control


class NotPending(Refusal):
    """The transaction awaits nobody's approval (any more)."""

    transaction: bytes
    en = "The transaction {transaction} awaits no approval."
    ko = "거래 {transaction}은(는) 승인 대기 중이 아닙니다."


class OwnIntent(Refusal):
    """Whoever proposes does not approve."""

    user: str
    en = "{user} made this intent; somebody else has to approve it."
    ko = "{user} 본인의 지시입니다. 다른 사람이 승인해야 합니다."


class AlreadyApproved(Refusal):
    """One person's approval counts once."""

    user: str
    en = "{user} has approved this transaction already."
    ko = "{user}은(는) 이미 이 거래를 승인했습니다."


class NotApprover(Refusal):
    """The grant does not name the user or a role of his as approver."""

    user: str
    grant: str
    en = "{user} is no approver under the grant {grant}."
    ko = "{user}은(는) 권한 {grant}의 승인자가 아닙니다."


class TooManyPending(Refusal):
    """The queue of approvals is full."""

    limit: int
    en = "{limit} transactions already await approval."
    ko = "승인 대기 거래가 이미 {limit}건입니다."


# ---- the doors


class BadCredentials(Refusal):
    """User or password is wrong; which of the two is not said."""

    en = "The user name or the password is wrong."
    ko = "사용자 이름 또는 비밀번호가 올바르지 않습니다."


class Throttled(Refusal):
    """Too many failed attempts. ``until`` in milliseconds."""

    until: int
    seconds: int
    en = "Too many failed attempts. Try again in {seconds} seconds."
    ko = "로그인 실패가 너무 많습니다. {seconds}초 후에 다시 시도하십시오."


class UnknownKey(Refusal):
    """The API key is not registered, or its user is not active."""

    en = "This API key is not registered to an active user."
    ko = "이 API 키는 활성 사용자에게 등록되어 있지 않습니다."


class BadSignature(Refusal):
    """The signature is not over this request."""

    en = "The signature does not match this request."
    ko = "서명이 이 요청과 일치하지 않습니다."


class StaleRequest(Refusal):
    """The request's time is too far from the server's. Milliseconds."""

    time: int
    now: int
    window: int
    en = "The request is dated {time}; the server's time is {now} and may differ by {window} ms at most."
    ko = "요청 시각 {time}이(가) 서버 시각 {now}과(와) {window}ms 넘게 차이 납니다."


class Replayed(Refusal):
    """The nonce was used before by this key."""

    en = "A request with this nonce was received before."
    ko = "같은 nonce의 요청을 이미 받았습니다."


class TooManyRequests(Refusal):
    """The key sent more requests than can be remembered within the window."""

    limit: int
    window: int
    en = "An API key may send {limit} requests in {window} ms."
    ko = "API 키 하나로 {window}ms 동안 요청 {limit}건까지 보낼 수 있습니다."
