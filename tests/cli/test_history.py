"""A file kept from an earlier day against the ledger of today, and against one that was written anew since."""

import json
import shutil
from pathlib import Path

import pytest

from stoa.api.app import create_app
from stoa.api.opening import OpenHouse
from stoa.api.serve import Door, free_port
from stoa.custody.secret import Secret
from tests.cli.test_commands import CASH, EXAMPLE, PASSPHRASE
from tests.cli.test_people import answer, stoa


def add_cash(folder: Path, name: str) -> None:
    form = folder.parent / f"{name}.json"
    form.write_text(json.dumps(CASH | {"asset": name}), encoding="utf-8")
    answer("submit", form, "--sign", "SORIM-BANK", folder=folder)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with one block, and the validators' keys beside it."""
    folder = tmp_path_factory.mktemp("history") / "ledger"
    answer("init", folder, "--chain", "hall", "--network", EXAMPLE / "term-sheet.toml", "--port", "7398")
    add_cash(folder, "USD")
    answer("prove", "keys", folder.parent / "keys.json", folder=folder)
    return folder


def test_the_ledger_extends_what_was_kept_and_a_forged_one_does_not(ledger: Path, tmp_path: Path) -> None:
    keys, file = ("--keys", ledger.parent / "keys.json"), tmp_path / "kept.json"
    forged = tmp_path / "forged"
    shutil.copytree(ledger, forged)
    add_cash(ledger, "KRW")
    first = answer("prove", "history", file, *keys, folder=ledger)
    assert (first["height"], first["since"]) == (2, 0)
    kept = file.read_bytes()
    assert set(json.loads(kept)) == {"chain", "height", "root"}
    add_cash(ledger, "EUR")
    assert "extends that of block 2" in stoa("prove", "history", file, *keys, "--since", file, folder=ledger)[1]
    assert json.loads(file.read_bytes())["height"] == 3

    file.write_bytes(kept)
    for name in ("JPY", "EUR"):  # the same validator writes another block 2, and goes on from there
        add_cash(forged, name)
    refused = answer("prove", "history", file, *keys, "--since", file, folder=forged, code=1)
    assert "does not extend the one of block 2" in refused["message"]
    assert file.read_bytes() == kept
    assert answer("verify", folder=forged)["flaws"] == []


def test_a_holder_needs_a_door_and_the_keys_alone(ledger: Path, tmp_path: Path) -> None:
    keys, file = ("--keys", ledger.parent / "keys.json"), tmp_path / "kept.json"
    with OpenHouse(ledger, Secret(PASSPHRASE)) as house, Door(create_app(house.services), free_port()) as door:
        for since in ((), ("--since", file)):
            found = answer("prove", "history", file, *keys, *since, "--url", door.url, folder=tmp_path / "nowhere")
            assert (found["holds"], found["chain"]) == (True, "hall")


def test_wrong_files_and_doors_are_named(ledger: Path, tmp_path: Path) -> None:
    keys, file = ("--keys", ledger.parent / "keys.json"), tmp_path / "kept.json"
    assert "none.json" in stoa("prove", "history", file, *keys, "--since", tmp_path / "none.json", folder=ledger)[2]
    wrong = stoa("prove", "history", file, *keys, "--since", keys[1], folder=ledger)
    assert (wrong[0], "wanted is a file that" in " ".join(wrong[2].split())) == (2, True)
    assert "none.json" in stoa("prove", "history", file, "--keys", tmp_path / "none.json", folder=ledger)[2]
    assert stoa("prove", "history", tmp_path / "no" / "folder", *keys, folder=ledger)[0] == 2
    assert "--url" in stoa("prove", "history", file, *keys, "--url", "nonsense", folder=ledger)[2]
    assert not file.exists()
