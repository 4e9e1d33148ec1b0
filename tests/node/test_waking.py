"""A validator whose journal is damaged starts all the same, fetches what it lacks, and votes only when that is safe."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from stoa.agreement.details import PromisesNothing
from stoa.journal import Damaged, Journal
from stoa.ledger.identity.register_party import RegisterParty
from stoa.node import waking
from stoa.node.lost_votes import LostVotes
from stoa.node.verify import verify
from tests.node.house import House
from tests.node.several import Several, until


@pytest.fixture
def several(tmp_path: Path) -> Iterator[Several]:
    made = Several(tmp_path)
    yield made
    made.close()


def spoil(folder: Path, part: float) -> None:
    """Flip a byte of the last segment, at this part of its length."""
    segment = max(folder.glob("*.journal"))
    data = bytearray(segment.read_bytes())
    data[int(len(data) * part)] ^= 0x55
    segment.write_bytes(data)


def votes_of(several: Several, name: str) -> set[int]:
    """Heights at which the others hold its vote in a certificate."""
    journal = several.nodes["FSS"].journal
    found = set()
    for _, certificate in journal.replay(1, journal.final):
        assert certificate is not None
        found |= {vote.height for vote in certificate.votes if vote.validator == name}
    return found


@pytest.mark.parametrize("part", [0.4, 0.999])
def test_a_damaged_journal_is_cut_and_fetched_again(several: Several, part: float) -> None:
    several.blocks(6)
    several.level()
    several.stop("KSD")
    spoil(several.folder / "KSD" / "journal", part)
    node = several.start("KSD")
    assert node.network().away
    assert list((several.folder / "KSD" / "journal").glob("set-aside-*"))
    stood = several.level()
    assert node.voice.alarms["journal"].code == "journal_cut"
    several.blocks(2)
    several.level()
    until(lambda: not node.network().away)
    until(lambda: not node.voice.alarms)
    assert LostVotes(several.folder / "KSD").why is None
    several.blocks(3)
    several.level()
    assert not votes_of(several, "KSD") & {stood + 1, stood + 2}
    several.stop("KSD")
    assert verify(several.folder / "KSD" / "journal").flaws == ()


def test_it_does_not_vote_where_it_may_have_voted_even_if_it_is_needed(several: Several) -> None:
    several.blocks(3)
    several.level()
    several.stop("KSD")
    spoil(several.folder / "KSD" / "journal", 0.999)
    several.stop("VENUE")
    several.stop("FSS")
    node = several.start("KSD")
    height = several.level()
    several.nodes["BROKER-A"].submit(several.signed(RegisterParty(9_999, False, "BROKER-A")))
    tail = until(lambda: (tail := node._round.core.tail) and tail.kept and tail)
    assert tail.vote is None
    assert several.nodes["BROKER-A"].health().height == height
    several.start("VENUE")
    several.blocks(2)
    assert several.level() == height + 3


def test_who_starts_again_before_it_may_vote_is_still_away(several: Several) -> None:
    several.blocks(3)
    several.level()
    several.stop("KSD")
    spoil(several.folder / "KSD" / "journal", 0.999)
    several.start("KSD")
    several.level()
    several.stop("KSD")
    assert several.start("KSD").network().away


def test_it_promises_nothing_while_its_votes_may_be_lost(several: Several) -> None:
    several.blocks(3)
    several.level()
    several.stop("KSD")
    spoil(several.folder / "KSD" / "journal", 0.999)
    node = several.start("KSD")
    several.level()
    node.leave_epoch(2)
    until(lambda: node.voice.alarms.get("epoch") == PromisesNothing())


@pytest.mark.parametrize("which", [0, 1, -2])
def test_a_missing_or_ruined_segment_is_fetched_again(
    several: Several, which: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waking.Journal, "open", partial(Journal.open, segment_bytes=4_096))
    several.stop("KSD")
    several.start("KSD")
    several.blocks(12)
    height = several.level()
    several.stop("KSD")
    segments = sorted((several.folder / "KSD" / "journal").glob("*.journal"))
    if which:
        segments[which].unlink()
    else:
        data = segments[0].read_bytes()
        segments[0].write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
    several.start("KSD")
    assert several.level() == height


def test_alone_it_refuses(running: House) -> None:
    for number in range(3):
        running.party(number)
    running.node.close()
    spoil(running.journal_folder, 0.5)
    with pytest.raises(Damaged):
        running.open()
