"""The Korean for what the network's commands show in a word or two. What is not here is shown as it is."""

from collections.abc import Mapping
from typing import Final

KOREAN: Final[Mapping[str, str]] = {
    # how a program is
    "ready": "정상",
    "not ready": "준비 안 됨",
    "running": "실행 중",
    "silent": "무응답",
    "paused": "일시 정지",
    "stopped": "중지됨",
    "ok": "정상",
    "unwell": "이상",
    "cut off": "단절됨",
    "hears nothing": "수신 불가",
    "is not heard": "송신 불가",
    # which program, and what becomes of it
    "validator": "검증기관 노드",
    "server": "순서 서버",
    "starts": "시작합니다",
    "is up already": "이미 실행 중입니다",
    "was not up": "실행 중이 아니었습니다",
    "has a folder with its own keys": "자체 키를 담은 폴더를 만들었습니다",
    "is let in by every ordering server": "모든 순서 서버가 접속을 허용합니다",
    "is an institution on the ledger": "원장에 기관으로 등록되었습니다",
    "has caught up": "최신 블록까지 따라왔습니다",
    "has a seat": "의석을 얻었습니다",
    "has no seat any more": "의석이 없어졌습니다",
    "is shut out": "접속이 차단되었습니다",
    # what became of a vote
    "yes": "찬성",
    "no": "반대",
    "had voted": "이미 투표함",
}  # fmt: skip


def worded(what: str, language: str) -> str:
    """The words in the language."""
    return KOREAN.get(what, what) if language == "ko" else what
