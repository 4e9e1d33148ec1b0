"""Why holds refuse. Numbers 1400 to 1499 are permanent."""

from stoa.kernel.base import Rejection


class InsufficientUnits(Rejection, tag=1400):
    """The line has fewer units than asked for."""

    asset: str
    account: bytes
    units: int
    needed: int
    en = "{account} has {units} units of {asset}, {needed} are needed."
    ko = "{account}의 {asset} 잔고는 {units}단위로, {needed}단위가 필요합니다."


class InsufficientFreeUnits(Rejection, tag=1401):
    """Enough units, but too many of them under holds."""

    asset: str
    account: bytes
    units: int
    held: int
    frozen: int
    free: int
    needed: int
    en = "{account} has {free} free units of {asset} ({units} less {held} held, {frozen} frozen), {needed} are needed."
    ko = "{account}의 {asset} 처분 가능 {free}단위(잔고 {units}, 질권 {held}, 동결 {frozen}), {needed}단위 필요."


class UnitsFrozen(Rejection, tag=1402):
    """Enough units, but a freeze covers too many of them."""

    asset: str
    account: bytes
    units: int
    held: int
    frozen: int
    free: int
    needed: int
    en = "{frozen} units of {asset} in {account} are frozen: {free} of {units} are free, {needed} are needed."
    ko = "{account}의 {asset} {frozen}단위가 동결되어 {units} 중 {free}단위만 처분 가능하며, {needed}단위가 필요합니다."


class HoldUnknown(Rejection, tag=1403):
    """There is no such hold."""

    asset: str
    account: bytes
    hold: int
    en = "There is no hold {hold} on {asset} in {account}."
    ko = "{account}의 {asset}에 질권 등 {hold}번이 없습니다."


class HoldTooSmall(Rejection, tag=1404):
    """More was asked of the hold than it covers."""

    hold: int
    units: int
    needed: int
    en = "The hold {hold} covers {units} units, {needed} are needed."
    ko = "질권 등 {hold}번은 {units}단위를 담보하며, {needed}단위가 필요합니다."


class TooManyHolds(Rejection, tag=1405):
    """The line has as many holds as it may."""

    asset: str
    account: bytes
    most: int
    en = "{account} has {most} holds on {asset} already, the most there may be."
    ko = "{account}의 {asset}에 이미 최대 {most}개의 질권 등이 있습니다."


class FreezeTooSmall(Rejection, tag=1406):
    """More was to be unfrozen than is frozen."""

    asset: str
    account: bytes
    frozen: int
    asked: int
    en = "{frozen} units of {asset} in {account} are frozen, {asked} cannot be freed."
    ko = "{account}의 {asset} 동결은 {frozen}단위로, {asked}단위를 해제할 수 없습니다."


class ExpiryPast(Rejection, tag=1407):
    """A hold must end in the future, or never."""

    expires: int
    time: int
    en = "The hold would end at {expires}, which is not after {time}."
    ko = "질권 등의 종료 시각 {expires}이(가) 현재 시각 {time} 이후가 아닙니다."
