"""Why corporate actions refuse. Numbers 1700 to 1799 are permanent."""

from stoa.kernel.base import Rejection


class DistributionUnknown(Rejection, tag=1700):
    """No distribution has this name."""

    distribution: str
    en = "There is no distribution {distribution}."
    ko = "배당 {distribution}이(가) 없습니다."


class DistributionExists(Rejection, tag=1701):
    """The name is taken, by a cancelled distribution too."""

    distribution: str
    en = "The distribution {distribution} exists already."
    ko = "배당 {distribution}은(는) 이미 존재합니다."


class RecordDateInvalid(Rejection, tag=1702):
    """The record lies in the future, and the payment not before it."""

    record: int
    payment: int
    time: int
    en = "Record at {record} and payment at {payment} do not fit: now ({time}) < record <= payment is needed."
    ko = "기준 시각 {record}, 지급 시각 {payment}이(가) 맞지 않습니다. 현재({time}) < 기준 <= 지급이어야 합니다."


class WithholdingInvalid(Rejection, tag=1703):
    """The tax terms cannot be applied."""

    distribution: str
    why: str
    en = "The withholding of {distribution} is not usable: {why}."
    ko = "배당 {distribution}의 원천징수 조건을 사용할 수 없습니다: {why}."


class Underfunded(Rejection, tag=1704):
    """The rate on all units needs more than the pool has. ``needed`` is capped just above the bound of all amounts."""

    distribution: str
    units: int
    pool: int
    needed: int
    en = "{distribution} needs {needed} for {units} units, its pool is {pool}."
    ko = "배당 {distribution}에는 {units}단위에 대해 {needed}이(가) 필요하지만 재원은 {pool}입니다."


class NotCancellable(Rejection, tag=1705):
    """Only what is announced and not yet recorded can be cancelled."""

    distribution: str
    status: str
    en = "{distribution} cannot be cancelled any more: it is {status}."
    ko = "배당 {distribution}은(는) 더 이상 취소할 수 없습니다(상태: {status})."


class NothingUnclaimed(Rejection, tag=1706):
    """Nothing of the distribution waits for the account."""

    distribution: str
    account: bytes
    en = "Nothing of {distribution} is waiting for {account}."
    ko = "{account}이(가) 청구할 배당 {distribution} 미수령분이 없습니다."
