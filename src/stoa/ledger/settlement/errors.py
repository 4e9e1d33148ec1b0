"""Why settlement refuses. Numbers 1500 to 1599 are permanent."""

from stoa.kernel.base import Rejection


class SameAccount(Rejection, tag=1500):
    """Nothing moves from an account to itself."""

    account: bytes
    en = "{account} cannot be both sender and receiver."
    ko = "{account}은(는) 보내는 계좌이자 받는 계좌일 수 없습니다."


class AuthorisedExceeded(Rejection, tag=1501):
    """More would exist than the terms allow."""

    asset: str
    supply: int
    authorised: int
    needed: int
    en = "{supply} of {authorised} authorised units of {asset} exist; {needed} more cannot be issued."
    ko = "{asset} 수권 {authorised}단위 중 {supply}단위가 발행되어 {needed}단위를 더 발행할 수 없습니다."


class LineFull(Rejection, tag=1502):
    """A line cannot hold more than the bound of all amounts."""

    asset: str
    account: bytes
    units: int
    needed: int
    en = "{account} has {units} units of {asset}; {needed} more do not fit."
    ko = "{account}의 {asset} 잔고는 {units}단위로, {needed}단위를 더 받을 수 없습니다."


class CostMismatch(Rejection, tag=1503):
    """The stated cost of the securities is not the cash that is paid for them in the same act."""

    seller: bytes
    buyer: bytes
    cost: int
    paid: int
    en = "{buyer} pays {paid} to {seller}, the stated cost of the delivery is {cost}."
    ko = "{buyer}이(가) {seller}에게 {paid}을(를) 지급하지만, 명시된 취득 금액은 {cost}입니다."


class NotSamePerson(Rejection, tag=1504):
    """A recovery leads to another account of the same person only."""

    party: int
    other: int
    en = "The lost account belongs to party {party}, the new one to party {other}."
    ko = "분실 계좌는 당사자 {party}, 새 계좌는 당사자 {other}의 것입니다."


class NotEmpty(Rejection, tag=1506):
    """The new account of a recovery must not hold the asset yet."""

    account: bytes
    asset: str
    en = "The new account {account} already has a line in {asset}; a recovery needs an empty one."
    ko = "새 계좌 {account}에 이미 {asset} 잔고가 있습니다. 복구에는 빈 계좌가 필요합니다."


class WrongKind(Rejection, tag=1507):
    """The act is for the other kind of asset."""

    asset: str
    kind: str
    needed: str
    en = "{asset} is {kind}; this needs {needed}."
    ko = "{asset}은(는) {kind}입니다. {needed}이(가) 필요합니다."
