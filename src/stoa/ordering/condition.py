"""How a log is, for a node to act on: a kind, and a sentence for people in English and Korean."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class Kind(StrEnum):
    """From well to worst. Only REPLACED stops the engine; from all others it goes on by itself.

    UNFIT: its configuration is not the agreed one, which operators correct or agree on.
    UNREACHABLE: no connection, or the log has no leader; nothing is accepted meanwhile, and it mends itself.
    REGRESSED: the log ends before what was read from it. It lost entries it had accepted. Readers stay where they are,
    and get nothing until it has grown past that; a producer publishes again what did not become final.
    GONE: the log does not exist. It may come back with its servers.
    REPLACED: another log has its name. It holds none of what was accepted; members open a new epoch.
    """

    WELL = "well"
    UNFIT = "unfit"
    UNREACHABLE = "unreachable"
    REGRESSED = "regressed"
    GONE = "gone"
    REPLACED = "replaced"


class Condition(NamedTuple):
    """``en`` and ``ko`` say it to an operator; empty when all is well."""

    kind: Kind
    en: str = ""
    ko: str = ""

    @property
    def stopped(self) -> bool:
        """Whether the engine accepts and delivers nothing more, until operators open a new epoch."""
        return self.kind is Kind.REPLACED


WELL = Condition(Kind.WELL)
UNWELL: Final[Mapping[str, Condition]] = {  # what may be found, its sentences over figures
    "unconnected": Condition(
        Kind.UNREACHABLE,
        "There is no connection to any server of the log.",
        "로그의 어느 서버에도 연결되어 있지 않습니다.",
    ),
    "no_majority": Condition(
        Kind.UNREACHABLE,
        "{stream} has no majority: {away} of {replicas} replicas are away.",
        "{stream}에 과반수가 없습니다. 복제본 {replicas}개 중 {away}이(가) 응답하지 않습니다.",
    ),
    "no_answer": Condition(
        Kind.UNREACHABLE,
        "{stream}: {trouble}.",
        "{stream}의 상태를 확인할 수 없습니다({trouble}).",
    ),
    "not_there": Condition(
        Kind.GONE,
        "{stream} does not exist.",
        "{stream}이(가) 없습니다.",
    ),
    "another": Condition(
        Kind.REPLACED,
        "{stream} was created at {found}, the log of this epoch at {known}.",
        "{stream}은(는) {found}에 생성되었으며 이 에포크의 로그는 {known}에 생성되었습니다.",
    ),
    "shorter": Condition(
        Kind.REGRESSED,
        "{stream} ends at {last}, and was read up to {read}.",
        "{stream}은(는) {last}에서 끝나지만 {read}까지 읽었습니다.",
    ),
    "other_settings": Condition(
        Kind.UNFIT,
        "{stream} has other settings than agreed: {wrong}.",
        "{stream}의 설정이 합의된 것과 다릅니다: {wrong}.",
    ),
    "small_payload": Condition(
        Kind.UNFIT,
        "The server takes {limit} bytes, a batch has {size}: raise its max_payload.",
        "서버는 {limit}바이트까지 받지만 배치는 {size}바이트입니다. max_payload를 늘리십시오.",
    ),
}  # fmt: skip


def unwell(what: str, **figures: object) -> Condition:
    """One of them with its figures filled in."""
    kind, en, ko = UNWELL[what]
    return Condition(kind, en.format(**figures), ko.format(**figures))
