"""Why assets refuse. Numbers 1200 to 1299 are permanent."""

from stoa.kernel.base import Rejection


class AssetUnknown(Rejection, tag=1200):
    """No asset has this code."""

    asset: str
    en = "There is no asset {asset}."
    ko = "자산 {asset}이(가) 없습니다."


class AssetExists(Rejection, tag=1201):
    """The code is taken."""

    asset: str
    en = "The asset {asset} exists already."
    ko = "자산 {asset}은(는) 이미 존재합니다."


class AssetPaused(Rejection, tag=1202):
    """Movements of the asset are halted."""

    asset: str
    en = "Movements of {asset} are halted."
    ko = "{asset}의 이전이 정지되어 있습니다."


class CurrencyUnknown(Rejection, tag=1203):
    """The currency of a security must be a cash token of this ledger."""

    currency: str
    en = "{currency} is not a cash token on this ledger."
    ko = "{currency}은(는) 이 원장의 현금 토큰이 아닙니다."


class OfferingDocumentMissing(Rejection, tag=1210):
    """A security binds the hash of its offering document."""

    security: str
    en = "{security} cannot be created without its offering document."
    ko = "{security}은(는) 투자설명서 없이 생성할 수 없습니다."


class IssuerDetailsMissing(Rejection, tag=1211):
    """A security names its issuer."""

    security: str
    field: str
    en = "{security} cannot be created without the issuer's {field}."
    ko = "{security}은(는) 발행인 정보({field}) 없이 생성할 수 없습니다."


class ComplianceStatementMissing(Rejection, tag=1212):
    """A security binds a statement of the law it is issued under."""

    security: str
    en = "{security} cannot be created without its compliance statement."
    ko = "{security}은(는) 법규 준수 확인서 없이 생성할 수 없습니다."


class QualificationRulesMissing(Rejection, tag=1213):
    """A security says who may hold it: trusted identity issuers, open countries, at least one rule."""

    security: str
    lacking: str
    en = "{security} cannot be created without {lacking}."
    ko = "{security}은(는) 투자자 적격 규칙({lacking}) 없이 생성할 수 없습니다."


class ClassesInvalid(Rejection, tag=1214):
    """The classes do not name distinct assets."""

    security: str
    why: str
    en = "The classes of {security} are not usable: {why}."
    ko = "{security}의 종류를 사용할 수 없습니다: {why}."


class LotsInvalid(Rejection, tag=1220):
    """The holder's choice of lots does not fit."""

    asset: str
    account: bytes
    why: str
    en = "The chosen lots of {asset} in {account} do not fit: {why}."
    ko = "{account}의 {asset} 취득분 선택이 맞지 않습니다: {why}."


class UnitsLocked(Rejection, tag=1221):
    """Too many of the units lie in lots under a lock-up."""

    asset: str
    account: bytes
    unlocked: int
    needed: int
    until: int
    en = "{needed} units of {asset} are needed, {unlocked} are out of lock-up; the next lot is locked until {until}."
    ko = "{asset} {needed}단위가 필요하지만 보호예수가 풀린 것은 {unlocked}단위입니다. 다음 해제 시각은 {until}입니다."


class TooManyLines(Rejection, tag=1222):
    """The account has lines in as many assets as an account may; a line stays when it has become empty."""

    account: bytes
    asset: str
    lines: int
    most: int
    en = "{account} has lines in {lines} assets, {most} are allowed: {asset} needs another account."
    ko = "{account}에는 이미 {lines}개 종목의 잔고가 있습니다(최대 {most}개). {asset}에는 다른 계좌가 필요합니다."
