"""A folder restored from a copy: whole, private, verified, and in a network away until lost votes cannot matter."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from stoa.journal import Dropping, Journal
from stoa.node.config import Config, Network, write_config
from stoa.node.details import VotesLost
from stoa.node.lost_votes import LostVotes
from stoa.node.turns import GATHER_BLOCKS
from tests.cli.test_commands import CASH, EXAMPLE, answer, stoa
from tests.cli.test_history import add_cash
from tests.node.several import Several, until
from tests.node.test_waking import votes_of

MADE_AGAIN = ("state", "snapshots", "nats", "run", "log", "views.sqlite", "views.sqlite-wal", "views.sqlite-shm")
ADDRESS = Network(("tls://127.0.0.1:1",))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with one block, its views, and a user."""
    folder = tmp_path_factory.mktemp("restore") / "ledger"
    answer("init", folder, "--chain", "hall", "--network", EXAMPLE / "term-sheet.toml", "--port", "7397")
    add_cash(folder, CASH["asset"])
    answer("query", "blocks", folder=folder)
    answer("users", "add", "kim", "--role", "investor", folder=folder, STOA_PASSWORD="long enough password")
    return folder


@pytest.fixture
def copy(ledger: Path, tmp_path: Path) -> Path:
    """With what a network member's folder has besides, and open to everybody."""
    made = tmp_path / "copy"
    shutil.copytree(ledger, made)
    for name in ("nats", "run", "log", "network", "snapshots"):
        (made / name).mkdir(exist_ok=True)
        (made / name / "file").write_bytes(b"x")
    for name in ("epoch", "outbox", "logs", "evidence.jsonl", "nats.conf", "network.toml", "something-new"):
        (made / name).write_bytes(b"x")
    for one in made.rglob("*"):
        one.chmod(0o777)
    return made


def files(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}


def test_all_is_there_but_what_is_made_again_and_for_the_owner_alone(copy: Path, tmp_path: Path) -> None:
    assert (copy / "views.sqlite").is_file()
    assert (copy / "state").is_dir()
    folder = tmp_path / "new" / "ledger"
    done = answer("restore", copy, folder=folder)
    assert (done["height"], done["votes_lost"], done["missing"]) == (1, False, [])
    wanted = {name for name in files(copy) if name.split("/")[0] not in MADE_AGAIN}
    assert {"epoch", "outbox", "logs", "nats.conf", "network/file", "stoa.toml", "users.sqlite"} < wanted
    assert files(folder) == wanted
    for one in (folder, *folder.rglob("*")):
        assert one.stat().st_mode & 0o777 == (0o700 if one.is_dir() else 0o600), one


def test_a_house_that_is_alone_goes_on(ledger: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    folder.mkdir()  # empty: a disk that is mounted there
    code, out, errors = stoa("restore", ledger, folder=folder)
    assert code == 0, errors
    assert f"stoa up --folder {folder}" in out
    assert LostVotes(folder).why is None
    add_cash(folder, "NEXT")
    assert answer("query", "blocks", folder=folder)["blocks"][0]["height"] == 2
    assert answer("verify", folder=folder)["flaws"] == []


def test_what_was_kept_apart_is_asked_for(copy: Path, tmp_path: Path) -> None:
    (copy / "keys.keystore").unlink()
    (copy / "vault").mkdir(exist_ok=True)
    (copy / "vault" / "keys").unlink(missing_ok=True)
    assert answer("restore", copy, folder=tmp_path / "new")["missing"] == ["keys.keystore", "vault/keys"]
    code, out, _ = stoa("restore", copy, "--language", "ko", folder=tmp_path / "again")
    assert (code, "keys.keystore, vault/keys" in out, "복원" in out) == (0, True, True)


@pytest.mark.parametrize("made_before", [False, True])
@pytest.mark.parametrize("network", [None, ADDRESS])
def test_a_damaged_copy_is_refused_and_nothing_is_left(
    copy: Path, tmp_path: Path, made_before: bool, network: Network | None
) -> None:
    write_config(copy, Config("HANUL-CSD", 7397, network=network))
    segment = next((copy / "journal").glob("*.journal"))
    raw = bytearray(segment.read_bytes())
    raw[-200] ^= 1
    segment.write_bytes(raw)
    folder = tmp_path / "new"
    if made_before:
        folder.mkdir()
    refused = answer("restore", copy, folder=folder, code=3)
    assert any(segment.name in flaw for flaw in refused["flaws"])
    assert list(folder.iterdir()) == [] if made_before else not folder.exists()


def test_a_copy_without_a_journal_is_refused_and_nothing_is_left(copy: Path, tmp_path: Path) -> None:
    shutil.rmtree(copy / "journal")
    assert "no journal" in answer("restore", copy, folder=tmp_path / "new", code=3)["message"]
    write_config(copy, Config("HANUL-CSD", 7397, network=ADDRESS))
    assert "no journal" in answer("restore", copy, folder=tmp_path / "new", code=3)["message"]
    assert not (tmp_path / "new").exists()


def test_where_something_is_nothing_is_restored(ledger: Path, copy: Path, tmp_path: Path) -> None:
    before = files(ledger)
    assert "not empty" in answer("restore", copy, folder=ledger, code=2)["message"]
    assert files(ledger) == before
    assert "inside" in answer("restore", copy, folder=copy / "new", code=2)["message"]
    assert "no ledger in" in answer("restore", tmp_path / "nowhere", folder=tmp_path / "new", code=2)["message"]
    with Journal.open(copy / "journal"):
        assert "one journal has one node" in answer("restore", copy, folder=tmp_path / "new", code=2)["message"]
    assert not (tmp_path / "new").exists()


def drop_body_one(folder: Path, aside: Path) -> None:
    """Let the folder's journal have small segments, and no body of its first block."""
    (folder / "journal").rename(aside)
    with Journal.open(aside, readonly=True) as whole:
        sparse = Journal.create(folder / "journal", whole.genesis, whole.header(0), segment_bytes=500)
        with sparse:
            for block, certificate in whole.replay():
                sparse.append(block, whole.votes(block.header.height))
                if certificate:
                    sparse.certify(certificate)
            sparse.sync()
            dropping = Dropping(sparse, lambda height: height != 1, below=2)
            while dropping.step(1_000_000):
                pass
    assert dropping.dropped == 1


def test_of_what_others_keep_the_bodies_of_the_record_is_verified(ledger: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(ledger, copy)
    for name in ("NEXT", "LAST"):
        add_cash(copy, name)
    drop_body_one(copy, tmp_path / "whole")
    write_config(copy, Config("HANUL-CSD", 7397, network=ADDRESS))
    done = answer("restore", copy, folder=tmp_path / "new")
    assert (done["height"], done["dropped"], done["votes_lost"]) == (3, 1, True)
    segment = min((copy / "journal").glob("*.journal"))
    segment.write_bytes(segment.read_bytes()[:-1])
    assert segment.name in answer("restore", copy, folder=tmp_path / "again", code=3)["message"]
    assert not (tmp_path / "again").exists()


@pytest.fixture
def several(tmp_path: Path) -> Iterator[Several]:
    made = Several(tmp_path / "several")
    yield made
    made.close()


def test_a_member_that_is_behind_signs_no_batch_under_a_number_it_has_used(several: Several, tmp_path: Path) -> None:
    """What clients send it meanwhile becomes final in batches of others."""
    several.blocks(2, through="KSD")
    several.level()
    several.stop("KSD")
    house, copy = several.folder / "KSD", tmp_path / "copy"
    write_config(house, Config("KSD", network=ADDRESS))
    shutil.copytree(house, copy)
    several.start("KSD")
    several.blocks(GATHER_BLOCKS * len(several.names) // 2 + GATHER_BLOCKS, through="KSD")  # it has gathered since
    several.level()
    before = dict(several.nodes["FSS"].network().produced)
    several.stop("KSD")
    shutil.rmtree(house)
    answer("restore", copy, folder=house)
    with Journal.open(house / "journal", readonly=True) as journal:
        assert before["KSD"] > sum(block.header.producer == "KSD" for block, _ in journal.replay())
    node = several.start("KSD")
    assert node.network().away
    several.blocks(4, through="KSD")
    several.level()
    until(lambda: not node.network().away)
    several.blocks(2, through="KSD")
    several.level()
    assert {name: one.evidence.count for name, one in several.nodes.items()} == dict.fromkeys(several.names, 0)


def test_a_member_of_a_network_votes_nowhere_where_it_may_have_voted(several: Several, tmp_path: Path) -> None:
    """The copy is older than what it voted for: it comes back behind, fetches, and votes above all of that."""
    several.blocks(3)
    kept = several.level()
    several.stop("KSD")
    house, copy = several.folder / "KSD", tmp_path / "copy"
    write_config(house, Config("KSD", network=ADDRESS))
    shutil.copytree(house, copy)
    several.start("KSD")
    several.blocks(3)
    stood = several.level()
    several.stop("KSD")
    shutil.rmtree(house)  # the machine is lost

    done = answer("restore", copy, folder=house)
    assert (done["height"], done["votes_lost"]) == (kept, True)
    assert LostVotes(house).why == VotesLost()
    assert all(one.stat().st_mode & 0o077 == 0 for one in house.rglob("*"))
    node = several.start("KSD")
    assert node.network().away
    assert several.level() == stood
    assert node.voice.alarms["journal"] == VotesLost()
    several.blocks(2)
    until(lambda: not node.network().away)
    assert LostVotes(house).why is None
    several.blocks(3)
    several.level()
    assert not votes_of(several, "KSD") & {stood + 1, stood + 2}
