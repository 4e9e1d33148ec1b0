"""The words for what a node has to tell people: for each code a sentence over its figures, in English and Korean.

The values themselves are agreement's and the node's (``details``); who shows them asks here for the reader's language.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from stoa.agreement.details import Detail


class Saying(NamedTuple):
    """One sentence in both languages; in ``SAYINGS`` over ``str.format`` fields."""

    en: str
    ko: str


SAYINGS: Final[Mapping[str, Saying]] = {
    "no_quorum": Saying(
        "block {height} cannot reach {quorum} votes: {votes}",
        "블록 {height}은(는) {quorum}표를 얻을 수 없습니다: {votes}",
    ),
    "another_hash": Saying(
        "block {height} is certified as {certified}, and gives another hash here",
        "블록 {height}은(는) {certified}(으)로 인증되었으나 이 검증기관에서는 다른 해시가 나옵니다",
    ),
    "too_few_promises": Saying(
        "{promised} members have promised behind block {height} or before, {quorum} must",
        "구성 기관 {promised}곳이 블록 {height} 이하에서 약속했으며 {quorum}곳의 약속이 필요합니다",
    ),
    "several_possible": Saying(
        "more than one block {height} may be final with votes of those who have not promised yet",
        "아직 약속하지 않은 기관의 투표에 따라 둘 이상의 블록 {height}이(가) 확정되었을 수 있습니다",
    ),
    "promises_nothing": Saying(
        "votes of this validator may be lost: it promises nothing until it is back",
        "이 검증기관의 투표가 유실되었을 수 있어 복귀할 때까지 아무것도 약속하지 않습니다",
    ),
    "journal_cut": Saying(
        "the journal was damaged and ends before block {height} now: {segment} at byte {offset}, {field}",
        "저널이 손상되어 이제 블록 {height} 앞에서 끝납니다: {segment}, {offset}바이트, {field}",
    ),
    "journal_empty": Saying(
        "the journal held genesis alone when the others had blocks",
        "다른 기관에 블록이 있을 때 이 저널에는 제네시스만 있었습니다",
    ),
    "votes_lost": Saying(
        "votes of this validator may be lost",
        "이 검증기관의 투표가 유실되었을 수 있습니다",
    ),
    "journal_damaged": Saying(
        "the journal is damaged: {segment} at byte {offset}, block {height}, {field}",
        "저널이 손상되었습니다: {segment}, {offset}바이트, 블록 {height}, {field}",
    ),
    "another_root": Saying(
        "the state after block {height} has another root than {votes} validators signed",
        "블록 {height} 이후의 상태 루트가 검증기관 {votes}곳이 서명한 것과 다릅니다",
    ),
    "batch_too_large": Saying(
        "larger than {limit} bytes",
        "{limit}바이트보다 큽니다",
    ),
    "batch_unreadable": Saying(
        "{rule}",
        "읽을 수 없습니다({rule})",
    ),
    "batch_elsewhere": Saying(
        "for the ledger {chain}",
        "다른 원장({chain})의 배치입니다",
    ),
    "producer_unknown": Saying(
        "the producer is not a validator",
        "생성 기관이 검증기관이 아닙니다",
    ),
    "batch_not_next": Saying(
        "number {number} where {expected} is next",
        "번호가 {number}이며 다음 번호는 {expected}입니다",
    ),
    "batch_clock_off": Saying(
        "its time is {off} ms off the log's, {allowed} are allowed",
        "시각이 로그와 {off}ms 차이 나며 허용 범위는 {allowed}ms입니다",
    ),
    "batch_not_signed": Saying(
        "the producer's signature is not valid",
        "생성 기관의 서명이 유효하지 않습니다",
    ),
    "two_votes": Saying(
        "two votes at one height in one epoch",
        "한 에포크의 같은 높이에서 두 번 투표했습니다",
    ),
    "two_batches": Saying(
        "two contents under one batch number",
        "한 배치 번호로 서로 다른 두 내용에 서명했습니다",
    ),
    "wrong_state": Saying(
        "another root over the state than a quorum has signed",
        "정족수가 서명한 것과 다른 상태 루트에 서명했습니다",
    ),
    "dissent": Saying(
        "a vote for another block than the one that a quorum has voted for",
        "정족수가 투표한 블록과 다른 블록에 투표했습니다",
    ),
    "malformed": Saying(
        "no word can be read: {rule}",
        "메시지를 읽을 수 없습니다({rule})",
    ),
    "false_name": Saying(
        "speaks as {name}",
        "{name}의 이름으로 말했습니다",
    ),
    "node_stopped": Saying(
        "the node has stopped: {failure}",
        "노드가 멈췄습니다({failure})",
    ),
    "views_stopped": Saying(
        "the views have stopped: {failure}",
        "조회 모델이 멈췄습니다({failure})",
    ),
    "views_behind": Saying(
        "the views are {blocks} blocks behind",
        "조회 모델이 {blocks}블록 뒤처져 있습니다",
    ),
    "too_few_heard": Saying(
        "{quorum} of {members} members must vote and {heard} were heard within {seconds} s; missing: {missing}",
        "구성 기관 {members}곳 중 {quorum}곳이 투표해야 하나 {seconds}초 안에 {heard}곳만 확인되었습니다. "
        "미확인: {missing}",
    ),
    "left_quorum": Saying(
        "this validator has left the quorum until its state follows the certificates again",
        "이 검증기관은 상태가 다시 인증서를 따를 때까지 정족수에서 빠져 있습니다",
    ),
    "log_unwell": Saying(
        "the ordering log is {condition}",
        "순서 로그에 이상이 있습니다({condition})",
    ),
}  # fmt: skip


def both(detail: Detail) -> Saying:
    """The sentence in both languages, its figures filled in."""
    return Saying(said(detail), said(detail, "ko"))


def said(detail: Detail, language: str = "en") -> str:
    """The sentence, in ``en`` or ``ko``."""
    saying = SAYINGS[detail.code]
    return (saying.ko if language == "ko" else saying.en).format(**detail.figures)
