"""What the node's log says: one line a block with who made it and who voted, and a line for each alarm and evidence."""

import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stoa.agreement.details import SeveralPossible
from stoa.agreement.effects import Alarm
from stoa.node.details import Unreadable
from stoa.node.evidence import FILE, EvidenceBook, Noted
from tests.node.house import House


class Lines(logging.Handler):
    """The lines, as what reads them would."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(json.loads(record.getMessage()))

    def of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.said if line["event"] == event]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, logger = Lines(), logging.getLogger("stoa.node")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(before)


def test_one_line_a_block_says_who_made_it_and_who_voted(running: House, lines: Lines) -> None:
    running.party(1)
    running.party(2)
    running.node.close()
    first, second = lines.of("block")
    assert (first["height"], second["height"]) == (1, 2)
    assert (second["epoch"], second["producer"], second["batch"], second["votes"]) == (1, "KSD", 2, ["KSD"])
    stages = {f"{stage}_ms" for stage in ("admit", "verify", "execute", "hash", "sync", "vote", "final")}
    assert stages | {"interval_ms", "transactions", "refused", "due"} <= second.keys()
    assert second["interval_ms"] >= second["sync_ms"]


def test_an_alarm_is_logged_when_it_begins_and_when_it_ends(house: House, lines: Lines) -> None:
    for detail in (SeveralPossible(7), SeveralPossible(7), None):
        house.node.voice.alarm(Alarm("epoch", detail))
    told = [(line["kind"], line["code"]) for line in lines.of("alarm")]
    assert told == [("epoch", "several_possible")]
    assert lines.of("alarm")[0]["why"].startswith("more than one block 7 may be final")
    assert [line["kind"] for line in lines.of("calm")] == ["epoch"]


def test_evidence_is_logged_and_a_liar_does_not_fill_the_disk(
    tmp_path: Path, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = EvidenceBook(tmp_path)
    book.note(1, "malformed", "FSS", 0, Unreadable("not msgpack"), b"x")
    book.note(1, "malformed", "FSS", 0, Unreadable("not msgpack"), b"x")
    book.close()
    assert [(line["kind"], line["validator"]) for line in lines.of("evidence")] == [("malformed", "FSS")]
    monkeypatch.setattr("stoa.node.evidence.MAX_FILE_BYTES", (tmp_path / FILE).stat().st_size)
    book = EvidenceBook(tmp_path)
    book.note(2, "malformed", "FSS", 0, Unreadable("not msgpack"), b"y")
    book.close()
    assert len(lines.of("evidence")) == 1
    assert (book.count, len((tmp_path / FILE).read_text().splitlines())) == (1, 1)


def test_who_notes_evidence_waits_for_no_disk(tmp_path: Path, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, let_go = threading.Event(), threading.Event()
    append = EvidenceBook._append

    def slow(self: EvidenceBook, noted: Noted) -> None:
        entered.set()
        assert let_go.wait(20)
        if noted.time == 1:
            raise OSError("no space left")
        append(self, noted)

    monkeypatch.setattr(EvidenceBook, "_append", slow)
    monkeypatch.setattr("stoa.node.evidence.MAX_WAITING", 2)
    book = EvidenceBook(tmp_path)
    book.note(1, "malformed", "FSS", 0, Unreadable("not msgpack"), b"1")
    assert entered.wait(20)
    for number in range(2, 6):
        book.note(number, "malformed", "FSS", 0, Unreadable("not msgpack"), b"%d" % number)
    assert (book.count, len(book.shown)) == (5, 5)
    assert not (tmp_path / FILE).exists()
    let_go.set()
    book.close()
    written = [json.loads(line)["time"] for line in (tmp_path / FILE).read_text().splitlines()]
    assert written == [2, 3], "in order, and not more than may wait"
    assert [line["why"] for line in lines.of("unwritten")] == ["no space left"]
