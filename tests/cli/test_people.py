"""Administration of an institution's people: users of the doors, their keys and sessions, and personal data."""

import json
import os
import pty
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from stoa.api.opening import OpenHouse
from stoa.cli.app import main
from stoa.custody.person import Contact, Document, Person
from stoa.custody.secret import Secret
from stoa.custody.users import Users
from tests.cli.test_commands import ENTRY, PASSPHRASE
from tests.ledger.hall import public

PASSWORD = "long enough password"
KEY = public("api kim").hex()
KIM = Person("Kim Minjun", contacts=(Contact("phone", "010"),), documents=(Document("passport", "M1", "KR"),))


def stoa(*words: str | Path, folder: Path | None = None, **environment: str) -> tuple[int, str, str]:
    """Run a command in this process, for speed; its exit code, standard output and standard error."""
    settings = {"STOA_PASSPHRASE": PASSPHRASE, "STOA_FOLDER": str(folder), "LC_ALL": "C", **environment}
    out, errors, code = StringIO(), StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(errors):
        for name, value in settings.items():
            patch.setenv(name, value)
        patch.setattr("sys.stdin", StringIO())
        try:
            main([*map(str, words)])
        except SystemExit as end:
            code = int(end.code or 0)
    return code, out.getvalue(), errors.getvalue()


def answer(*words: str | Path, folder: Path | None = None, code: int = 0, **environment: str) -> dict[str, Any]:
    """The JSON answer of a command that ends with this code."""
    found, out, errors = stoa(*words, "--json", folder=folder, **environment)
    assert found == code, out + errors
    value: dict[str, Any] = json.loads(out)
    return value


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of one institution with the user kim."""
    made = tmp_path_factory.mktemp("people") / "ledger"
    answer("init", made)
    answer("users", "add", "kim", "--role", "investor", folder=made, STOA_PASSWORD=PASSWORD)
    return made


def kim(folder: Path) -> dict[str, object]:
    (user,) = answer("users", "list", folder=folder)["users"]
    assert isinstance(user, dict)
    return user


def may_sign_in(folder: Path, password: str) -> bool:
    book = Users(folder / "users.sqlite")
    try:
        return hasattr(book.log_in("kim", Secret(password), "here", 1_800_000_000_000), "roles")
    finally:
        book.close()


def test_what_a_user_is_and_may_is_changed(folder: Path) -> None:
    address = answer("keys", "list", folder=folder)["keys"][0]["address"]
    answer("users", "roles", "kim", "--role", "clerk", "--role", "officer", folder=folder)
    answer("users", "accounts", "kim", "--account", address, folder=folder)
    assert answer("users", "language", "kim", "ko", folder=folder)["language"] == "ko"
    assert (kim(folder)["roles"], kim(folder)["accounts"]) == (["clerk", "officer"], [address])
    answer("users", "accounts", "kim", "--none", folder=folder)
    assert kim(folder)["accounts"] == []
    assert stoa("users", "list", folder=folder)[1].count("kim") == 1


def test_a_user_is_shut_out_and_let_in_with_a_new_password(folder: Path) -> None:
    assert not answer("users", "deactivate", "kim", folder=folder)["active"]
    assert not may_sign_in(folder, PASSWORD)
    assert answer("users", "activate", "kim", folder=folder)["active"]
    answer("users", "password", "kim", folder=folder, STOA_PASSWORD="another long password")
    assert may_sign_in(folder, "another long password")
    assert not may_sign_in(folder, PASSWORD)


def test_sessions_are_ended(folder: Path) -> None:
    from stoa.custody.sessions import Sessions

    book, now = Users(folder / "users.sqlite"), 1_800_000_000_000
    try:
        sessions = Sessions(book.engine)
        tokens = [sessions.start("kim", now) for _ in range(3)]
        assert all(sessions.find(token, now) for token in tokens)
        answer("users", "logout", "kim", folder=folder)
        assert not any(sessions.find(token, now) for token in tokens)
    finally:
        book.close()


def test_api_keys_are_added_listed_and_removed(folder: Path) -> None:
    assert answer("users", "api-keys", "add", "kim", KEY, "--label", "desk", folder=folder)["public"] == KEY
    (key,) = answer("users", "api-keys", "list", "kim", folder=folder)["keys"]
    assert (key["public"], key["label"]) == (KEY, "desk")
    assert "registered already" in stoa("users", "api-keys", "add", "kim", KEY, folder=folder)[2]
    answer("users", "api-keys", "remove", "kim", KEY, folder=folder)
    assert answer("users", "api-keys", "list", "kim", folder=folder)["keys"] == []
    assert stoa("users", "api-keys", "remove", "kim", KEY, folder=folder)[0] == 2


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("roles", "nobody", "--role", "x"), "no such user"),
        (("roles", "kim"), "give it once or more, or --none"),
        (("roles", "kim", "--role", "x", "--none"), "give it once or more, or --none"),
        (("accounts", "kim", "--account", "stoa1nonsense"), "stoa1nonsense"),
        (("password", "nobody"), "no such user"),
        (("password", "kim"), "a password has 10"),
        (("logout", "nobody"), "no such user"),
        (("deactivate", "nobody"), "no such user"),
        (("api-keys", "list", "nobody"), "no such user"),
        (("api-keys", "add", "kim", "zz"), "66 hexadecimal digits"),
        (("api-keys", "add", "kim", "00"), "compressed secp256k1"),
    ],
)
def test_what_cannot_be_done_is_said(folder: Path, words: tuple[str, ...], complaint: str) -> None:
    code, _, errors = stoa("users", *words, folder=folder, STOA_PASSWORD="short")
    assert code == 2
    assert complaint in " ".join(errors.split())


@pytest.fixture
def party(folder: Path) -> int:
    """The number of a party whose data the vault keeps."""
    with OpenHouse(folder, Secret(PASSPHRASE)) as house:
        number = house.services.vault.draw()
        house.services.vault.put(number, KIM, 1_800_000_000_000)
    return number


def test_personal_data_is_shown_and_destroyed(folder: Path, party: int) -> None:
    shown = answer("persons", "show", str(party), folder=folder)
    assert (shown["name"], shown["contacts"][0]["value"], shown["documents"][0]["content"]) == ("Kim Minjun", "010", 0)
    assert "--yes" in stoa("persons", "erase", str(party), folder=folder)[2]
    assert answer("persons", "show", str(party), folder=folder)["name"] == "Kim Minjun"
    done = answer("persons", "erase", str(party), "--yes", folder=folder)
    assert done["destroyed"] == ["data key", "record"]
    assert not [path for path in (folder / "vault" / "records").rglob("*") if path.is_file()]
    gone = answer("persons", "show", str(party), folder=folder, code=2)
    assert gone["erased"] == done["erased"]
    assert stoa("persons", "erase", str(party), "--yes", folder=folder)[0] == 2
    assert "Nothing is kept" in stoa("persons", "show", "7", folder=folder)[2]


def typed(folder: Path, party: int, line: bytes) -> tuple[int, bytes]:
    """Erase at a terminal where this line is typed; the exit code and what was asked."""
    ours, theirs = pty.openpty()
    settings = os.environ | {"STOA_PASSPHRASE": PASSPHRASE, "STOA_FOLDER": str(folder), "LC_ALL": "C"}
    with subprocess.Popen(
        [*ENTRY, "persons", "erase", str(party)], env=settings, stdin=theirs, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        os.write(ours, line + b"\n")
        errors = process.communicate(timeout=60)[1]
    os.close(ours)
    os.close(theirs)
    return process.returncode, errors


def test_erasing_asks_for_the_number(folder: Path, party: int) -> None:
    code, errors = typed(folder, party, b"yes")
    assert (code, b"Nothing was erased" in errors) == (2, True)
    assert typed(folder, party, str(party).encode())[0] == 0
    assert stoa("persons", "show", str(party), folder=folder)[0] == 2


def test_while_the_node_holds_the_vault_nothing_is_shown(folder: Path, party: int) -> None:
    with OpenHouse(folder, Secret(PASSPHRASE)):
        code, _, errors = stoa("persons", "show", str(party), folder=folder)
    assert (code, "Stop the node first" in errors) == (3, True)
    wrong = stoa("persons", "show", str(party), folder=folder, STOA_PASSPHRASE="another passphrase")
    assert wrong[0] == 2
