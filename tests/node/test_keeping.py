"""Bodies of old blocks are kept by some, and whoever asks any of the validators still gets all of them."""

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from stoa.api.projector import Projector
from stoa.journal import Journal, dropped
from stoa.kernel.codec import encode
from stoa.node import checkpoints, keepers, keeping, waking
from stoa.node.keepers import Lenders, Terms, ranked
from stoa.node.keeping import Keeping
from stoa.readmodel.views import Views
from stoa.wire.proof import check_proof
from stoa.wire.question import BodyKept
from tests.node.several import NAMES, Several, until

RANGE, RECENT, REPLICAS = 4, 4, 2


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small segments and ranges, and no rest."""
    monkeypatch.setattr(keepers, "RANGE_BLOCKS", RANGE)
    monkeypatch.setattr(keepers, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(keeping, "RECENT_BLOCKS", RECENT)
    monkeypatch.setattr(keeping, "PASS_SECONDS", 0.1)
    monkeypatch.setattr(checkpoints, "IDLE_SECONDS", 0.02)
    monkeypatch.setattr(waking.Journal, "open", partial(Journal.open, segment_bytes=4_096))


@pytest.fixture
def several(tmp_path: Path) -> Iterator[Several]:
    made = Several(tmp_path, replicas_of_bodies=REPLICAS)
    yield made
    made.close()


def split(several: Several) -> int:
    """Wait until each has dropped what is not its own; up to which height the ranges are old."""
    old = 12
    several.blocks(old + RECENT + RANGE + 8)
    several.level()
    for name, node in several.nodes.items():
        theirs = {one for one in range(1, old) if name not in ranked(one, NAMES)[:REPLICAS]}
        until(lambda node=node, theirs=theirs: theirs <= set(dropped(node.journal)), node.health)
    return old


def test_each_old_body_is_kept_by_so_many_and_read_through_any(several: Several) -> None:
    old = split(several)
    for height in range(1, old):
        keeping_it = [name for name, node in several.nodes.items() if height not in dropped(node.journal)]
        assert keeping_it == sorted(ranked(height, NAMES)[:REPLICAS])
    blocks = [block for block, _ in several.nodes[ranked(4, NAMES)[0]].journal.replay(1, old)]
    for node in several.nodes.values():
        assert [block for block, _ in node.journal.replay(1, old)] == blocks
        proof, who = node.prove_receipt(2, 0), node.members()
        check_proof(proof, who.keys, who.quorum)


def test_any_query_is_answered_with_all_but_one_keeper_lost(several: Several) -> None:
    old = split(several)
    for name in list(several.nodes):
        if name not in (ranked(RANGE, NAMES)[1], ranked(RANGE, NAMES)[-1]) and len(several.nodes) > REPLICAS:
            several.stop(name)
    node = several.nodes[ranked(RANGE, NAMES)[-1]]
    assert RANGE in dropped(node.journal)
    assert [node.journal.block(height).header.height for height in range(RANGE, 2 * RANGE)] == list(range(4, 8))
    assert old > 2 * RANGE


def test_views_and_state_are_built_again_from_what_others_lend(several: Several, tmp_path: Path) -> None:
    split(several)
    name = next(name for name, node in several.nodes.items() if dropped(node.journal))
    height = several.level()
    several.stop(name)
    shutil.rmtree(several.folder / name / "state")
    node = several.start(name)
    assert several.level() == height
    views = Views.open(tmp_path / "views.sqlite")
    projector = Projector(node.journal, views)
    projector.start()
    assert projector.reached(height, 60), projector.failure
    projector.close()
    views.close()


def test_who_starts_from_nothing_follows_though_nobody_has_everything(several: Several) -> None:
    split(several)
    height = several.level()
    several.stop("KSD")
    shutil.rmtree(several.folder / "KSD")
    several.found("KSD")
    several.start("KSD")
    assert several.level() == height


def test_a_body_that_the_header_does_not_commit_to_is_not_believed(several: Several) -> None:
    split(several)
    liar, honest, *_, borrower = ranked(RANGE, NAMES)
    true = several.nodes[honest].journal.own_block(RANGE)
    lie = encode(BodyKept(replace(true, receipts=(b"made up",)), None))
    asked: list[str] = []

    def ask(peer: str, question: bytes, timeout: float) -> bytes:
        asked.append(peer)
        return lie if peer == liar else several.hall.inside[borrower].ask(peer, question, timeout)

    node = several.nodes[borrower]
    lenders = Lenders(borrower, node.journal, SimpleNamespace(ask=ask))  # type: ignore[arg-type]
    assert lenders.block(RANGE) == true
    assert asked == [liar, honest]


@pytest.mark.parametrize("replicas", [3, 1, 0])
def test_bodies_move_to_their_keepers_when_the_members_vote_another_number(several: Several, replicas: int) -> None:
    old = split(several)
    height = several.decide(replicas_of_bodies=replicas)
    before = [block for block, _ in several.nodes["KSD"].journal.replay(1, old)]
    while several.level() < height:
        several.blocks(1)
    wanted = replicas or len(NAMES)

    def keeping_it(height: int) -> list[str]:
        return [name for name, node in several.nodes.items() if height not in dropped(node.journal)]

    def moved() -> bool:
        held = {one: keeping_it(one) for one in range(1, old)}
        assert all(held.values()), "at no time is a body nowhere"
        return all(held[one] == sorted(ranked(one, NAMES)[:wanted]) for one in held)

    until(moved, lambda: {one: keeping_it(one) for one in range(1, old)})
    for node in several.nodes.values():
        assert [block for block, _ in node.journal.replay(1, old)] == before


def test_nobody_lets_go_for_the_sake_of_one_who_is_leaving_or_goes_by_other_terms(several: Several) -> None:
    split(several)
    first, second, third, *_ = ranked(RANGE, NAMES)
    terms, other = Terms(NAMES, REPLICAS), Terms(NAMES, REPLICAS + 1)
    keeper = several.nodes[first].keeping
    assert keeper.keeps(RANGE, terms.hash())
    assert not keeper.keeps(RANGE, other.hash()), "it goes by other terms"
    assert not several.nodes[third].keeping.keeps(RANGE, terms.hash()), "it is no keeper"
    asked: list[str] = []

    def ask(peer: str, question: bytes, timeout: float) -> bytes:
        asked.append(peer)
        assert not leaver.keeps(RANGE, wanted.hash()), "who asks is leaving"
        return several.hall.inside[second].ask(peer, question, timeout)

    wanted = Terms(NAMES, 1)
    leaver = Keeping(second, several.nodes[second].journal, SimpleNamespace(ask=ask), None, lambda: wanted)  # type: ignore[arg-type]
    leaver._drop(wanted, threading.Event())
    assert first in asked
    assert RANGE not in dropped(several.nodes[second].journal), "the first goes by the terms of two"


def test_a_range_moves_only_when_a_keeper_goes() -> None:
    for height in range(0, 400, RANGE):
        before = ranked(height, NAMES)[:REPLICAS]
        after = ranked(height, [name for name in NAMES if name != "VENUE"])[:REPLICAS]
        assert after == before or "VENUE" in before
    assert len({tuple(ranked(height, NAMES)[:REPLICAS]) for height in range(0, 400, RANGE)}) > 5
