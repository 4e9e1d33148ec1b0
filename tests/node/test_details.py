"""What a node has to tell people: every detail is listed, and has words for all its figures in both languages."""

from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from stoa.agreement.details import Detail
from stoa.node.details import DETAILS, JournalCut, Objection, Offence, Unready, VotesLost
from stoa.node.lost_votes import FILE, LostVotes
from stoa.node.sayings import SAYINGS, said
from stoa.ordering.condition import UNWELL, Condition, Kind


def below(base: type[Detail]) -> Iterator[type[Detail]]:
    """All kinds of detail that there are."""
    for one in base.__subclasses__():
        yield from below(one)
        yield one


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_every_detail_is_listed_once() -> None:
    assert set(DETAILS) == set(below(Detail)) - {Objection, Offence, Unready}
    assert len({one.__struct_config__.tag for one in DETAILS}) == len(DETAILS)


@pytest.mark.parametrize("kind", DETAILS)
def test_every_detail_has_words_for_its_figures_in_both_languages(kind: type[Detail]) -> None:
    saying = SAYINGS[str(kind.__struct_config__.tag)]
    assert saying.en != saying.ko
    assert fields(saying.en) == fields(saying.ko) == set(kind.__struct_fields__)


def test_no_words_are_idle() -> None:
    assert SAYINGS.keys() == {kind.__struct_config__.tag for kind in DETAILS}


def test_why_votes_may_be_lost_is_remembered(tmp_path: Path) -> None:
    why = JournalCut(7, "000001.journal", 4_096, "checksum")
    LostVotes(tmp_path).note(why)
    assert LostVotes(tmp_path).why == why
    assert said(why) == "the journal was damaged and ends before block 7 now: 000001.journal at byte 4096, checksum"
    assert said(why, "ko") == "저널이 손상되어 이제 블록 7 앞에서 끝납니다: 000001.journal, 4096바이트, checksum"


def test_a_note_that_says_nothing_known_still_counts(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("the journal was damaged", encoding="utf-8")
    assert LostVotes(tmp_path).why == VotesLost()
    LostVotes(tmp_path).clear()
    assert LostVotes(tmp_path).why is None


@pytest.mark.parametrize("condition", UNWELL.values())
def test_what_is_wrong_with_the_log_has_both_languages(condition: Condition) -> None:
    assert condition.en != condition.ko
    assert fields(condition.en) == fields(condition.ko)


def test_every_condition_of_the_log_but_well_has_a_sentence() -> None:
    assert {one.kind for one in UNWELL.values()} == set(Kind) - {Kind.WELL}
