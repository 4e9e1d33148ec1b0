"""Bodies of old blocks are kept by some, and whoever asks any of the validators still gets all of them."""

import shutil
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
from stoa.node.keepers import Lenders, ranked
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


def test_a_range_moves_only_when_a_keeper_goes() -> None:
    for height in range(0, 400, RANGE):
        before = ranked(height, NAMES)[:REPLICAS]
        after = ranked(height, [name for name in NAMES if name != "VENUE"])[:REPLICAS]
        assert after == before or "VENUE" in before
    assert len({tuple(ranked(height, NAMES)[:REPLICAS]) for height in range(0, 400, RANGE)}) > 5
