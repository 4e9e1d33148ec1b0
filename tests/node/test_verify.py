"""Verification finds what is wrong and says where; with nothing wrong it finds nothing."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest
from msgspec.structs import replace

from stoa.journal import Dropping, Journal, NoJournal
from stoa.kernel.base import Context, Event
from stoa.ledger import invariants
from stoa.ledger.assets.model import HOLDINGS
from stoa.ledger.identity.register_party import RegisterParty
from stoa.ledger.settlement.events import UnitsMoved
from stoa.node import checkpoints
from stoa.node.state_store import StateStore
from stoa.node.verify import Verified, verify
from tests.ledger.hall import account
from tests.node.house import PATIENCE, House

SOME = 97  # every so many bytes of the journal is flipped; coprime to the lengths of records


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A closed house with five blocks, a checkpoint after the third, and a state store. Not to be changed."""
    house = House(tmp_path_factory.mktemp("house"))
    house.node.start()
    house.party(1)
    house.node.checkpoint()
    house.cash_for("kim")
    house.node.close()
    return house


@pytest.fixture
def kept(founded: House, tmp_path: Path) -> tuple[Path, Path]:
    """The journal and the state in folders of their own, to be spoilt."""
    journal, state = tmp_path / "kept" / "journal", tmp_path / "kept" / "state"
    shutil.copytree(founded.journal_folder, journal)
    shutil.copytree(founded.state_folder, state)
    return journal, state


def test_a_good_ledger_has_no_flaw_and_is_not_changed(kept: tuple[Path, Path]) -> None:
    journal, state = kept
    before = {path: path.read_bytes() for path in journal.iterdir()} | {state: (state / "data.mdb").read_bytes()}
    steps: list[tuple[int, int]] = []
    verified = verify(journal, state, lambda *step: steps.append(step))
    assert verified.flaws == ()
    assert (verified.chain, verified.height, verified.transactions) == ("test", 5, 5)
    assert steps == [(height, 5) for height in range(1, 6)]
    after = {path: path.read_bytes() for path in journal.iterdir()} | {state: (state / "data.mdb").read_bytes()}
    assert before == after
    with Journal.open(journal, readonly=True) as kept_journal:
        assert verified.block_hash == kept_journal.head.hash()


def test_with_processes_it_finds_the_same(kept: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    alone = verify(*kept)
    monkeypatch.setattr("stoa.node.verify.WORTH_PROCESSES", 1)
    assert verify(*kept, processes=1) == alone


def test_a_body_that_is_not_kept_is_said_to_be_missing(kept: tuple[Path, Path], tmp_path: Path) -> None:
    with Journal.open(kept[0], readonly=True) as whole:
        sparse = Journal.create(tmp_path / "sparse", whole.genesis, whole.header(0), segment_bytes=500)
        for block, certificate in whole.replay():
            sparse.append(block, whole.votes(block.header.height))
            if certificate:
                sparse.certify(certificate)
        sparse.sync()
    dropping = Dropping(sparse, lambda height: height != 3, below=5)
    while dropping.step(1_000_000):
        pass
    sparse.close()
    verified = verify(tmp_path / "sparse")
    assert (verified.height, dropping.dropped) == (2, 1), "what comes before it was executed"
    assert verified.flaws == ("the body of block 3 is not kept here",), "the record itself is in order"


def test_any_flipped_byte_of_the_journal_is_located(kept: tuple[Path, Path]) -> None:
    journal, _ = kept
    path = next(journal.glob("*.journal"))
    good = path.read_bytes()
    for at in range(0, len(good), SOME):
        path.write_bytes(good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1 :])
        verified = verify(journal)
        assert verified.flaws, f"byte {at}"
        assert path.name in verified.flaws[0], f"byte {at}: {verified.flaws}"
        assert "at byte" in verified.flaws[0]
        offset = int(verified.flaws[0].split("at byte ")[1].split(",")[0])
        assert offset <= at, "the record that begins at the offset holds the byte"


@pytest.mark.parametrize("cut", [1, 100, 2_000])
def test_a_journal_that_was_cut_is_found(kept: tuple[Path, Path], cut: int) -> None:
    journal, _ = kept
    path = next(journal.glob("*.journal"))
    path.write_bytes(path.read_bytes()[:-cut])
    assert any("was synced up to" in flaw for flaw in verify(journal).flaws)


def test_no_journal_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(NoJournal):
        verify(tmp_path)


# ---- the state store


def rewritten(state: Path, change: Callable[[lmdb.Transaction], object]) -> None:
    with lmdb.open(str(state), map_size=1 << 30) as env, env.begin(write=True) as transaction:
        change(transaction)


LINE = HOLDINGS.pack(("USD", account("kim")))


@pytest.mark.parametrize(
    "change",
    [
        lambda store: store.put(LINE, store.get(LINE).replace(b"\xcd\x03\xe8", b"\xcd\x03\xe9")),
        lambda store: store.delete(LINE),
        lambda store: store.put(LINE + b"\0", b"\x93"),
    ],
    ids=["changed", "removed", "added"],
)
def test_a_row_that_is_not_what_replay_gives_is_named(
    kept: tuple[Path, Path], change: Callable[[lmdb.Transaction], object]
) -> None:
    rewritten(kept[1], change)
    (flaw,) = verify(*kept).flaws
    assert "of the state store differs from replay" in flaw
    assert LINE.hex() in flaw or "row" in flaw


def test_a_store_that_is_behind_is_compared_where_it_stands(running: House, tmp_path: Path) -> None:
    running.party(1)
    running.node.close()
    state = tmp_path / "behind"
    shutil.copytree(running.state_folder, state)
    running.open().start()
    running.party(2)
    running.node.close()
    assert verify(running.journal_folder, state).flaws == ()
    rewritten(state, lambda store: store.put(b"\xffrow", b"\x93"))
    assert len(verify(running.journal_folder, state).flaws) == 1


def test_a_store_that_is_empty_ahead_absent_or_of_another_chain(kept: tuple[Path, Path], running: House) -> None:
    journal, state = kept
    assert verify(journal, state.with_name("none")).flaws[0].startswith("the state store cannot be read")
    assert not state.with_name("none").exists()
    for _ in range(3):
        running.party(running.node.health().height + 1)
    running.node.close()
    flaws = verify(journal, running.state_folder).flaws
    assert flaws[0] == "the state store stands at another block 3"
    assert verify(running.journal_folder, state).flaws == ("the state store stands at block 5, and there are 3",)
    shutil.rmtree(state)
    StateStore(state).close()
    assert verify(journal, state).flaws == ("the state store is empty",)
    (state / "data.mdb").write_bytes(bytes(range(256)) * 64)
    assert verify(journal, state).flaws[0].startswith("the state store cannot be read")


def test_while_the_node_runs_the_journal_can_be_verified(running: House) -> None:
    for at in range(5):
        running.party(at)
        assert verify(running.journal_folder).flaws == ()


# ---- checkpoints, certificates


@pytest.mark.parametrize("height", [1, 5])
@pytest.mark.parametrize("change", [{"state_root": bytes(32)}, {"size": 7}], ids=["root", "size"])
def test_a_checkpoint_that_replay_does_not_confirm(
    kept: tuple[Path, Path], founded: House, height: int, change: dict[str, object]
) -> None:
    """Signed as it should be: only executing the blocks tells that it is wrong."""
    with Journal.open(kept[0]) as journal:
        true = journal.latest_checkpoint()
        assert true is not None
        wrong = replace(true, height=height, block_hash=journal.header(height).hash(), **change)  # type: ignore[arg-type]
        signed = founded.node.finality.checkpoint(wrong.height, wrong.block_hash, wrong.state_root, wrong.size)
        journal.checkpoint(signed)
    assert verify(*kept).flaws == (f"the checkpoint at {height} has another state root than replay gives",)


def test_blocks_without_certificates_are_told(running: House, monkeypatch: pytest.MonkeyPatch) -> None:
    running.party(1)
    monkeypatch.setattr(Journal, "certify", lambda *_: None)
    for at in range(2, 5):
        running.party(at)
    running.node.close()
    assert verify(running.journal_folder).flaws == ("no certificate covers the blocks 2 to 4",)


def test_checkpoints_are_made_every_so_many_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "IDLE_SECONDS", 0.01)
    house = House(tmp_path, checkpoint_blocks=4)
    house.node.start()
    for at in range(1, 13):
        house.party(at)
        if at % 4 == 0:
            wait_for_checkpoint(house, at)
    assert [one.height // 4 for one in house.node.journal.checkpoints()] == [1, 2, 3]
    house.reopen().start()
    house.party(20)
    time.sleep(0.1)
    house.node.close()
    with Journal.open(house.journal_folder, readonly=True) as journal:
        assert len(list(journal.checkpoints())) == 3, "counted from the last one, also after a restart"
    assert verify(house.journal_folder, house.state_folder).flaws == ()


def wait_for_checkpoint(house: House, height: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while (found := house.node.journal.latest_checkpoint()) is None or found.height < height:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_checkpoint_in_the_making_does_not_hold_up_closing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stoa.node.proofs.ROWS_A_SLICE", 1)
    monkeypatch.setattr(checkpoints, "REST_SECONDS", 60.0)
    house = House(tmp_path, checkpoint_blocks=1)
    house.node.start()
    house.do("BROKER-A", *(RegisterParty(10_000 + one, False, "BROKER-A") for one in range(20)))
    time.sleep(0.3)
    mark = time.monotonic()
    house.node.close()
    assert time.monotonic() - mark < 5.0
    assert house.node.failure == ""


def test_a_ledger_whose_invariants_fail_is_told(kept: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The invariants are run over the replayed state: one that never holds shows itself."""
    never = invariants.Invariant("never", lambda view: [f"{len(list(view.walk(HOLDINGS)))} lines"])
    monkeypatch.setattr(invariants, "ALL", (never,))
    verified: Verified = verify(*kept)
    assert verified.flaws == ("never: 1 lines",)


def test_a_ledger_that_moves_units_without_a_word_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Running and replayed alike it says nothing of moves: receipts and rows agree, only the events are too few."""
    emit = Context.emit

    def silent(ctx: Context, event: Event) -> None:
        if not isinstance(event, UnitsMoved):
            emit(ctx, event)

    monkeypatch.setattr(Context, "emit", silent)
    house.node.start()
    house.cash_for("kim")
    house.node.close()
    flaws = verify(house.journal_folder, house.state_folder).flaws
    line = f"units USD {account('kim').hex()}"
    assert f"block 4: every_difference_is_explained: {line}: 1000 written, 0 told" in flaws
    assert {flaw.split(": ")[2].split()[0] for flaw in flaws} == {"units", "supply"}
