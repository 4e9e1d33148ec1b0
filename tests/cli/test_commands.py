"""The command line on a real ledger folder: what it answers, what it refuses, how it ends."""

import io
import json
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from stoa.cli.app import main
from stoa.journal.journal import Journal
from stoa.kernel import signing
from stoa.wire.envelope import read_envelope, transaction_id

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "harbour-tower"
PASSPHRASE = "a passphrase of the tests"
ENTRY = [sys.executable, "-c", "from stoa.cli.app import main; main()"]
CASH: dict[str, Any] = {
    "tag": "assets.register_cash.v1", "asset": "USD", "bank": "SORIM-BANK", "name": "USD deposit", "currency": "USD",
    "decimals": 2,
    "terms": {"trusted": [{"topic": "identity", "issuers": ["NURI-ID"]}], "countries": ["*"], "rules": []},
}  # fmt: skip


def stoa(
    *words: str | Path, folder: Path | None = None, given: bytes = b"", **environment: str
) -> tuple[int, str, str]:
    """Run a command in this process, as its own would; its exit code, standard output and standard error."""
    settings = {"STOA_PASSPHRASE": PASSPHRASE, "LANG": "C", "COLUMNS": "160", **environment}
    if folder is not None:
        settings["STOA_FOLDER"] = str(folder)
    out, errors, typed = io.StringIO(), io.StringIO(), io.TextIOWrapper(io.BytesIO(given))
    with (
        mock.patch.dict(os.environ, settings),
        mock.patch.object(sys, "stdin", typed),
        redirect_stdout(out),
        redirect_stderr(errors),
    ):
        try:
            main([str(word) for word in words])
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, out.getvalue(), errors.getvalue()


def answer(*words: str | Path, folder: Path | None = None, code: int = 0, **environment: str) -> dict[str, Any]:
    """The JSON answer of a command that ends with this code."""
    found, out, errors = stoa(*words, "--json", folder=folder, **environment)
    assert found == code, out + errors
    value: dict[str, Any] = json.loads(out)
    return value


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of the example's institutions with one block: the bank's cash token."""
    folder = tmp_path_factory.mktemp("cli") / "ledger"
    made = answer("init", folder, "--chain", "hall", "--network", EXAMPLE / "term-sheet.toml", "--port", "7399")
    assert made["validator"] == "HANUL-CSD"
    assert len(made["institutions"]) == 8
    (folder.parent / "cash.json").write_text(json.dumps(CASH), encoding="utf-8")
    final = answer("submit", folder.parent / "cash.json", "--sign", "SORIM-BANK", folder=folder)
    assert final["status"] == "final"
    assert final["receipt"]["rejection"] is None
    return folder


@pytest.fixture(scope="module")
def cash(ledger: Path) -> str:
    """The id of the transaction that registered the cash token."""
    blocks = answer("query", "blocks", folder=ledger)["blocks"]
    assert [block["height"] for block in blocks] == [1, 0]
    with Journal.open(ledger / "journal", readonly=True) as journal:
        return transaction_id(read_envelope(journal.block(1).envelopes[0]).body).hex()


def test_help_starts_light() -> None:
    heavy = {"stoa.node", "stoa.api", "stoa.ledger", "litestar", "granian", "sqlalchemy", "lmdb", "httpx", "argon2"}
    code = f"import sys, stoa.cli.app; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
    out = subprocess.run([*ENTRY, "--help"], capture_output=True, check=True, text=True).stdout
    for command in ("init", "up", "demo", "keys", "submit", "explain", "query", "verify", "prove", "snapshot"):
        assert command in out


def test_explain_gives_every_reason_and_changes_nothing(ledger: Path, tmp_path: Path) -> None:
    twice = tmp_path / "twice.toml"
    twice.write_text(
        'tag = "assets.register_cash.v1"\nasset = "USD"\nbank = "MARU"\nname = "x"\ncurrency = "USD"\ndecimals = 2\n'
        "[terms]\ntrusted = []\ncountries = []\nrules = []\n"
    )
    refused = answer("explain", twice, "--sign", "MARU", folder=ledger, code=1)
    assert [reason["name"] for reason in refused["reasons"]] == ["InstitutionUnknown", "AssetExists"]
    korean = answer("explain", twice, "--sign", "MARU", "--language", "ko", folder=ledger, code=1)
    assert "이미 존재합니다" in korean["reasons"][1]["sentence"]
    assert answer("query", "blocks", folder=ledger)["blocks"][0]["height"] == 1


def test_a_refused_submission_ends_with_one(ledger: Path, tmp_path: Path) -> None:
    other = tmp_path / "copy"
    shutil.copytree(ledger, other)
    code, out, errors = stoa("submit", "-", "--sign", "SORIM-BANK", folder=other, given=json.dumps(CASH).encode())
    assert (code, out) == (1, "")
    assert "AssetExists (1201): The asset USD exists already." in errors
    assert len(answer("query", "blocks", folder=other)["blocks"]) == 3


@pytest.mark.parametrize(
    ("form", "complaint"),
    [
        ("{", "instruction.json: Input data was truncated"),
        ("[]", "wanted is an instruction, or a list"),
        ('{"tag": "x.v1"}', "instruction 0: tag is 'x.v1', which names no known kind"),
        (json.dumps(CASH | {"decimals": 99}), "RegisterCash.decimals: Expected `int` <= 18"),
        (json.dumps({"instructions": [CASH, CASH | {"extra": 1}]}), "instruction 1: RegisterCash: there is no field"),
    ],
)
def test_a_bad_instruction_is_named(ledger: Path, tmp_path: Path, form: str, complaint: str) -> None:
    file = tmp_path / "instruction.json"
    file.write_text(form, encoding="utf-8")
    code, _, errors = stoa("submit", file, "--sign", "SORIM-BANK", folder=ledger)
    assert code == 2
    assert complaint in errors


def test_wrong_use_ends_with_two(ledger: Path, tmp_path: Path) -> None:
    assert stoa("submit", ledger.parent / "cash.json", folder=ledger)[0] == 2
    nobody = stoa("submit", ledger.parent / "cash.json", "--sign", "nobody", folder=ledger)
    assert nobody[0] == 2
    assert "SORIM-BANK" in nobody[2]
    assert stoa("query", "block", "high", folder=ledger)[0] == 2
    assert stoa("query", "account", "stoa1nonsense", folder=ledger)[0] == 2
    assert "stoa init" in stoa("verify", folder=tmp_path)[2]
    assert "not empty" in stoa("init", ledger)[2]
    wrong = stoa("keys", "list", folder=ledger, STOA_PASSPHRASE="another passphrase")
    assert (wrong[0], "passphrase does not open" in wrong[2]) == (2, True)
    assert answer("query", "security", "NONE", folder=ledger, code=2)["error"] == "usage"


@pytest.mark.parametrize(
    ("words", "passphrase", "complaint"),
    [
        ((), "x", "a passphrase has at least 12 bytes, this one 1"),
        ((), "", "passphrase is needed: set STOA_PASSPHRASE"),
        (("--chain", "c" * 25), PASSPHRASE, "--chain: a ledger's name has 1 to 24 characters, this one 25"),
        (("--port", "70000"), PASSPHRASE, "--port: a port is 1 to 65535 (70000)"),
    ],
)
def test_a_ledger_that_cannot_be_made_leaves_nothing_behind(
    tmp_path: Path, words: tuple[str, ...], passphrase: str, complaint: str
) -> None:
    code, _, errors = stoa("init", tmp_path / "ledger", *words, STOA_PASSPHRASE=passphrase)
    assert (code, complaint in errors) == (2, True), errors
    assert not (tmp_path / "ledger").exists()


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ('roles = ["registrar"]', 'roles = ["broker"]', "institution[0].roles: at least one institution has the role"),
        ('code = "PELICAN"', 'code = "MARU"', "code: a code is used once ('MARU')"),
    ],
)
def test_institutions_that_cannot_begin_a_ledger_are_named(
    tmp_path: Path, before: str, after: str, complaint: str
) -> None:
    text = (EXAMPLE / "term-sheet.toml").read_text(encoding="utf-8")
    assert before in text
    (tmp_path / "some.toml").write_text(text.replace(before, after, 1), encoding="utf-8")
    code, _, errors = stoa("init", tmp_path / "ledger", "--network", tmp_path / "some.toml")
    assert (code, complaint in errors) == (2, True), errors
    assert "some.toml:" in errors
    assert not (tmp_path / "ledger").exists()


def test_a_command_that_is_not_understood_says_so_where_programs_look() -> None:
    code, out, errors = stoa("query", "holderz")
    assert (code, out) == (2, "")
    assert 'Did you mean "holders"?' in errors
    code, out, _ = stoa("query", "portfolio", "--json")
    assert (code, json.loads(out)["error"]) == (2, "usage")
    assert "account" in json.loads(out)["message"]


def test_queries_answer(ledger: Path, cash: str) -> None:
    codes = [one["code"] for one in answer("query", "institutions", folder=ledger)["institutions"]]
    assert "SORIM-BANK" in codes
    assert answer("query", "receipt", cash, folder=ledger)["events"][0]["asset"] == "USD"
    assert answer("query", "transaction", cash, folder=ledger)["line"]["height"] == 1
    assert answer("query", "block", "1", folder=ledger)["count"] == 1
    assert answer("query", "securities", folder=ledger)["securities"] == []
    keys = {key["name"]: key["address"] for key in answer("keys", "list", folder=ledger)["keys"]}
    assert answer("query", "account", keys["MARU"], folder=ledger)["custodian"] == "MARU"
    shown = stoa("query", "institutions", folder=ledger)[1]
    assert "settlement_bank" in shown


def test_a_rule_pack_goes_from_its_file_to_the_ledger_and_is_named(ledger: Path, tmp_path: Path) -> None:
    copy = tmp_path / "ledger"
    shutil.copytree(ledger, copy)
    propose, pack = ("network", "propose", "adopt"), EXAMPLE.parent / "rule-packs" / "us-reg-s.toml"
    asked = ("--by", "HANUL-CSD", "--at-height", "3", "--hours", "1", "--form")
    assert "--at-height" in answer(*propose, pack, "--form", code=2)["message"]
    assert answer(*propose, tmp_path / "none.toml", *asked, code=2)["error"] == "usage"
    form = answer(*propose, pack, *asked)
    assert (form["change"]["tag"], form["change"]["code"], form["height"]) == ("adopt_pack", "US-REG-S", 3)
    (tmp_path / "proposal.json").write_text(json.dumps(form), encoding="utf-8")
    assert answer("submit", tmp_path / "proposal.json", "--sign", "HANUL-CSD", folder=copy)["status"] == "final"
    naming = {"tag": "compliance.name_packs.v1", "scope": "USD", "packs": ["US-REG-S"]}
    (tmp_path / "naming.json").write_text(json.dumps(naming), encoding="utf-8")
    assert answer("submit", tmp_path / "naming.json", "--sign", "SORIM-BANK", folder=copy)["receipt"]["height"] == 3
    [made] = answer("query", "proposals", folder=copy)["proposals"]
    assert (made["proposer"], made["kind"], made["subject"], made["stage"]) == (
        "HANUL-CSD", "adopt_pack", "US-REG-S", "enacted",
    )  # fmt: skip
    assert (made["height"], made["decided"], made["yes"], made["no"]) == (3, 3, 1, 0)
    whole = answer("query", "proposal", str(made["number"]), folder=copy)
    assert whole["change"]["code"] == "US-REG-S"
    assert [vote["institution"] for vote in whole["line"]["votes"]] == ["HANUL-CSD"]
    assert answer("query", "proposal", "99", folder=copy, code=2)["error"] == "usage"
    [line] = answer("query", "packs", folder=copy)["packs"]
    assert (line["code"], line["version"], line["rules"], line["scopes"]) == ("US-REG-S", 1, 2, 1)
    shown = answer("query", "pack", "US-REG-S", "--version", "1", folder=copy)
    assert [rule["id"] for rule in shown["shown"]["rules"]] == ["US-REGS-OFFER", "US-REGS-YEAR"]
    assert answer("query", "pack", "US-REG-S", "--version", "2", folder=copy, code=2)["error"] == "usage"


KEY = signing.public_key(bytes(31) + b"\x07").hex()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("admit", "XX", "zz"), "admit: KEY is a voting key, 33 bytes as 66 hexadecimal digits ('zz')"),
        (("rotate", "BROKER-A", "00"), "rotate: KEY is a voting key, 33 bytes as 66 hexadecimal digits, this one 2"),
        (("admit", "XX", "05" + "11" * 32), "admit: KEY is a point of secp256k1 in compressed form ('0511"),
        (("admit", "broker a", KEY), "admit: CODE is an institution's: 1 to 24 capital letters, digits, dots and da"),
        (("remove", "a"), "remove: CODE is an institution's: 1 to 24 capital letters"),
    ],
)
def test_a_change_that_nobody_could_vote_on_is_named(words: tuple[str, ...], complaint: str) -> None:
    asked = ("--by", "MARU", "--at-height", "3", "--form")
    assert complaint in answer("network", "propose", *words, *asked, code=2)["message"]
    assert answer("network", "propose", "admit", "XX", KEY, *asked)["change"]["key"] == KEY


def test_keys_are_made_exported_imported_retired_and_sealed_anew(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        answer("init", folder)
    made = answer("keys", "create", "treasury", folder=one)
    answer("keys", "export", "treasury", tmp_path / "treasury.keys", folder=one)
    taken = answer("keys", "import", tmp_path / "treasury.keys", folder=two)
    assert taken["keys"][0]["address"] == made["address"]
    assert answer("keys", "retire", "treasury", folder=two)["status"] == "retired"
    answer("keys", "rotate", folder=one, STOA_NEW_PASSPHRASE="a new passphrase of one")
    assert stoa("keys", "list", folder=one)[0] == 2
    renewed = answer("keys", "list", folder=one, STOA_PASSPHRASE="a new passphrase of one")
    assert "treasury" in [key["name"] for key in renewed["keys"]]


def test_users_are_added(ledger: Path) -> None:
    answer("users", "add", "kim", "--role", "investor", folder=ledger, STOA_PASSWORD="long enough password")
    assert answer("users", "list", folder=ledger)["users"][0]["roles"] == ["investor"]
    assert stoa("users", "add", "kim", "--role", "x", folder=ledger, STOA_PASSWORD="long enough password")[0] == 2


def test_verify_finds_nothing_then_finds_the_flipped_byte(ledger: Path, tmp_path: Path) -> None:
    found = answer("verify", folder=ledger)
    assert (found["height"], found["transactions"], found["flaws"]) == (1, 1, [])
    spoiled = tmp_path / "spoiled"
    shutil.copytree(ledger, spoiled)
    segment = next((spoiled / "journal").glob("*.journal"))
    raw = bytearray(segment.read_bytes())
    raw[-200] ^= 1
    segment.write_bytes(raw)
    flawed = answer("verify", folder=spoiled, code=3)
    assert any(segment.name in flaw for flaw in flawed["flaws"])
    done = subprocess.run([*ENTRY, "verify", "--folder", str(spoiled)], capture_output=True, check=False, text=True)
    assert done.returncode == 3
    assert f"{segment.name} at byte" in done.stderr


def test_proofs_are_checked_with_public_keys_alone(ledger: Path, cash: str, tmp_path: Path) -> None:
    proof, keys = tmp_path / "receipt.proof", tmp_path / "keys.json"
    answer("prove", "receipt", cash, proof, folder=ledger)
    answer("prove", "keys", keys, folder=ledger)
    empty = tmp_path / "nowhere"
    shown = answer("prove", "check", proof, "--keys", keys, folder=empty)
    assert shown["holds"]
    assert shown["shows"]["transaction"] == cash
    other = json.loads(keys.read_text())
    other["validators"] = dict.fromkeys(other["validators"], "02" + "11" * 32)
    keys.write_text(json.dumps(other))
    assert answer("prove", "check", proof, "--keys", keys, folder=empty, code=1)["error"] == "refused"
    no_proof = answer("prove", "check", keys, "--keys", keys, folder=empty, code=2)["message"]
    assert no_proof.startswith(f"{keys} is no proof file, as stoa prove receipt and stoa prove holding write them")
    for said in (proof.read_bytes(), b'{"chain": "hall", "quorum": 1, "validators": {"MARU": "zz"}}'):
        (tmp_path / "other.json").write_bytes(said)
        wrong = answer("prove", "check", proof, "--keys", tmp_path / "other.json", folder=empty, code=2)["message"]
        assert wrong.startswith(f"{tmp_path / 'other.json'} is no file of public keys, as stoa prove keys writes it")
    assert stoa("prove", "receipt", "00" * 32, proof, folder=ledger)[0] == 2


def test_what_the_journal_can_make_again_is_made_again(ledger: Path, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    shutil.copytree(ledger, folder)
    (folder / "state" / "data.mdb").write_bytes(b"nonsense")
    assert answer("rebuild-state", folder=folder)["height"] == 1
    assert answer("rebuild-views", folder=folder)["height"] == 1
    assert Path(answer("snapshot", folder=folder)["file"]).is_file()
    assert answer("verify", folder=folder)["flaws"] == []


def test_the_catalog_lists_what_may_be_asked() -> None:
    tags = [one["tag"] for one in answer("catalog", "instructions")["instructions"]]
    assert "settlement.transfer.v1" in tags
    codes = [one["code"] for one in answer("catalog", "rejections")["rejections"]]
    assert codes == sorted(codes)
    assert 1305 in codes


def test_bench_prints_its_figures() -> None:
    few = answer("bench", "ledger", "--transfers", "200", "--holders", "20", "--batch", "50", "--processes", "0")
    assert few["applied"] + few["refused"] == 200
    assert 0 < few["refused"] < 20
    assert {"transfers_per_second", "cpu_us_per_transfer", "bare_verify_us", "cpu_ratio", "fsync_us_p50"} <= few.keys()
    assert stoa("bench", "ledger", "--refused-share", "2")[0] == 2


def test_a_distribution_is_measured_on_a_real_node() -> None:
    few = answer("bench", "distribution", "--holders", "900", "--traffic", "100")
    assert few["paid"] > 900
    assert (few["refused"], few["late"]) == (0, 0)
    assert {"payout_seconds", "transfer_ms_p50", "transfer_ms_p99", "cpu_ratio", "stage_seconds"} <= few.keys()
    assert stoa("bench", "distribution", "--holders", "0")[0] == 2


def test_bench_replays_what_it_made() -> None:
    few = answer("bench", "replay", "--transfers", "200", "--holders", "20", "--batch", "50", "--processes", "0")
    assert few["transactions"] > 200
    assert few["verifying"]["transactions_per_second"] > 0
    assert few["trusting"]["transactions_per_second"] > 0
