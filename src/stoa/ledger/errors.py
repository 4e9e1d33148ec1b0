"""Why an envelope is refused before its instructions are looked at. Numbers 1000 to 1099 are permanent."""

from stoa.kernel.base import Rejection


class MalformedEnvelope(Rejection, tag=1000):
    """The bytes are not a transaction of this ledger."""

    why: str
    en = "The transaction cannot be read: {why}."
    ko = "거래를 읽을 수 없습니다: {why}."


class WrongChain(Rejection, tag=1001):
    """The transaction is for another ledger."""

    chain: str
    expected: str
    en = "The transaction is for the ledger {chain}; this is {expected}."
    ko = "이 거래는 원장 {chain}의 것입니다. 이 원장은 {expected}입니다."


class SignatureInvalid(Rejection, tag=1002):
    """A signature does not verify, or is not in its one accepted form (64 bytes, low-S)."""

    account: bytes
    en = "A signature for {account} is not valid."
    ko = "{account}의 서명이 유효하지 않습니다."


class SignerUnknown(Rejection, tag=1003):
    """Somebody signed for an account that does not exist."""

    account: bytes
    en = "There is a signature for {account}, which is not an account of this ledger."
    ko = "{account}은(는) 이 원장의 계좌가 아닙니다."


class KeyNotOfAccount(Rejection, tag=1004):
    """The key does not speak for the account."""

    account: bytes
    key: bytes
    en = "The key {key} does not belong to {account}."
    ko = "키 {key}은(는) {account}의 것이 아닙니다."


class ThresholdNotMet(Rejection, tag=1005):
    """Too few different keys of the account signed."""

    account: bytes
    signed: int
    needed: int
    en = "{signed} keys signed for {account}, {needed} are needed."
    ko = "{account}에 {signed}개의 키가 서명했습니다. {needed}개가 필요합니다."


class Expired(Rejection, tag=1006):
    """The transaction was valid until a time that has passed."""

    valid_until: int
    time: int
    en = "The transaction was valid until {valid_until}; it is {time} now."
    ko = "거래의 유효 시각 {valid_until}이(가) 지났습니다. 현재 {time}입니다."


class ValidTooLong(Rejection, tag=1007):
    """``valid_until`` lies too far ahead."""

    valid_until: int
    latest: int
    en = "The transaction may be valid until {latest} at most, not {valid_until}."
    ko = "거래의 유효 시각은 최대 {latest}까지입니다({valid_until} 불가)."


class SequenceUsed(Rejection, tag=1008):
    """The lane has moved on: a repeated transaction, or one of two with the same number."""

    account: bytes
    lane: int
    sequence: int
    expected: int
    en = "Sequence {sequence} of lane {lane} is used; the next is {expected}."
    ko = "레인 {lane}의 순번 {sequence}은(는) 이미 사용되었습니다. 다음 순번은 {expected}입니다."


class SequenceAhead(Rejection, tag=1009):
    """An earlier transaction of the lane is missing."""

    account: bytes
    lane: int
    sequence: int
    expected: int
    en = "Sequence {sequence} of lane {lane} is too early; the next is {expected}."
    ko = "레인 {lane}의 순번 {sequence}은(는) 아직 이릅니다. 다음 순번은 {expected}입니다."
