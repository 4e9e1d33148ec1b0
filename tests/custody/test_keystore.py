"""The keystore: secrets are encrypted at rest, tampering and wrong passphrases are refused, nothing leaks."""

import os
import pickle
import stat
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoa.custody import durable, keyfile
from stoa.custody.keystore import Damaged, Keystore, KeystoreError, WrongPassphrase
from stoa.custody.sealing import RECOMMENDED, Cost
from stoa.custody.secret import Secret
from stoa.kernel import signing
from stoa.kernel.codec import encode
from stoa.kernel.identifiers import account_id, address
from stoa.wire.envelope import read_envelope, signatures_valid

NOW = 1_800_000_000_000
CHEAP = Cost(passes=1, memory_kib=8, lanes=1)
KNOWN = bytes(range(1, 33))
DIGEST = bytes(32)


def file_of(keystore: Keystore) -> Path:
    return keystore._path


def test_a_key_survives_closing_and_opening(keystore: Keystore, passphrase: Secret) -> None:
    key = keystore.generate("investor-07", NOW)
    again = Keystore.open(file_of(keystore), passphrase)
    assert again.listing() == (key,)
    assert key.account == account_id(1, (key.public,))
    assert key.address == address(key.account)
    assert signing.verify(key.public, DIGEST, again.sign("investor-07", DIGEST))
    assert again.key_of(key.account) == key
    assert again.key_of(bytes(20)) is None


def test_the_file_is_for_its_owner_alone(keystore: Keystore) -> None:
    keystore.generate("a", NOW)
    assert stat.S_IMODE(file_of(keystore).stat().st_mode) == 0o600
    assert stat.S_IMODE(file_of(keystore).parent.stat().st_mode) == 0o700
    left = {path.name for path in file_of(keystore).parent.iterdir()}
    assert left == {"broker.keys", "broker.keys.lock"}


def test_no_secret_stands_in_the_file(keystore: Keystore, passphrase: Secret) -> None:
    keystore.import_secret("known", Secret(KNOWN), NOW)
    raw = file_of(keystore).read_bytes()
    assert KNOWN not in raw
    assert passphrase.reveal() not in raw
    assert signing.public_key(KNOWN) in raw


def test_the_recommended_cost_is_the_default(tmp_path: Path, passphrase: Secret) -> None:
    Keystore.create(tmp_path / "k", passphrase)
    assert keyfile.load(tmp_path / "k").cost == RECOMMENDED
    assert RECOMMENDED.memory_kib >= 65_536


def test_a_wrong_passphrase_is_told_from_damage(keystore: Keystore) -> None:
    with pytest.raises(WrongPassphrase):
        Keystore.open(file_of(keystore), Secret("another long passphrase"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("written") / "k"
    keystore = Keystore.create(path, Secret("a long enough passphrase"), CHEAP)
    keystore.generate_all(["a", "b", "c"], NOW)
    return path.read_bytes()


@given(data=st.data())
@settings(max_examples=300)
def test_any_flipped_bit_is_refused(
    written: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(written) - 1))
    changed = bytearray(written)
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path_factory.getbasetemp() / "flipped"
    path.write_bytes(changed)
    # a flipped bit in the cost could ask for gigabytes; the bounds refuse it, or the memory is asked for and freed
    file_or_error = _read(path)
    if isinstance(file_or_error, keyfile.KeyFile) and file_or_error.cost != CHEAP:
        return
    with pytest.raises(KeystoreError):
        Keystore.open(path, Secret("a long enough passphrase"))


def _read(path: Path) -> keyfile.KeyFile | KeystoreError:
    try:
        return keyfile.load(path)
    except KeystoreError as error:
        return error


@pytest.mark.parametrize("cut", [0, 1, 40, -1])
def test_a_cut_file_is_refused(written: bytes, tmp_path: Path, cut: int) -> None:
    (tmp_path / "cut").write_bytes(written[:cut])
    with pytest.raises(Damaged):
        Keystore.open(tmp_path / "cut", Secret("a long enough passphrase"))


def test_entries_cannot_be_removed_swapped_or_brought_back(keystore: Keystore, passphrase: Secret) -> None:
    keystore.generate_all(["a", "b"], NOW)
    path = file_of(keystore)
    file = keyfile.load(path)
    first, second = file.entries
    swapped = (keyfile.Entry(first.key, second.sealed), keyfile.Entry(second.key, first.sealed))
    revived = keyfile.Key("a", first.key.public, first.key.created, "retired")
    for entries in [(first,), swapped, (keyfile.Entry(revived, first.sealed), second)]:
        path.write_bytes(encode(keyfile.KeyFile(file.cost, file.salt, file.proof, entries, file.lid)))
        with pytest.raises(Damaged):
            Keystore.open(path, passphrase)


def test_a_sealed_secret_opens_only_for_its_own_key(keystore: Keystore) -> None:
    keystore.generate_all(["a", "b"], NOW)
    first, second = keyfile.load(file_of(keystore)).entries
    with pytest.raises(Damaged):
        keyfile.unseal(keystore._sealer, keyfile.Entry(first.key, second.sealed))


def test_rotation_makes_the_old_passphrase_worthless(keystore: Keystore, passphrase: Secret) -> None:
    key = keystore.generate("a", NOW)
    stale = Keystore.open(file_of(keystore), passphrase)
    keystore.rotate(Secret("the passphrase of next year"))
    with pytest.raises(WrongPassphrase):
        Keystore.open(file_of(keystore), passphrase)
    with pytest.raises(KeystoreError, match="changed elsewhere"):
        stale.generate("b", NOW)
    fresh = Keystore.open(file_of(keystore), Secret("the passphrase of next year"))
    assert signing.verify(key.public, DIGEST, fresh.sign("a", DIGEST))
    assert keystore.generate("b", NOW) in keystore.listing()


def test_two_openings_do_not_lose_each_others_keys(keystore: Keystore, passphrase: Secret) -> None:
    other = Keystore.open(file_of(keystore), passphrase)
    keystore.generate("a", NOW)
    other.generate("b", NOW)
    keystore.generate("c", NOW)
    assert [key.name for key in keystore.listing()] == ["a", "b", "c"]


def test_an_exported_key_is_imported_elsewhere(keystore: Keystore, tmp_path: Path) -> None:
    key = keystore.generate("a", NOW)
    keystore.generate("b", NOW)
    envelope = Secret("for the courier only")
    keystore.export("a", tmp_path / "a.key", envelope, CHEAP)
    with pytest.raises(KeystoreError, match="exists already"):
        keystore.export("a", tmp_path / "a.key", envelope, CHEAP)
    elsewhere = Keystore.create(tmp_path / "elsewhere", Secret("another institution"), CHEAP)
    (taken,) = elsewhere.import_file(tmp_path / "a.key", envelope, NOW)
    assert taken.public == key.public
    assert signing.verify(key.public, DIGEST, elsewhere.sign("a", DIGEST))


def test_a_retired_or_removed_key_signs_no_more(keystore: Keystore, passphrase: Secret) -> None:
    key, _ = keystore.generate_all(["a", "b"], NOW)
    assert keystore.retire("a").status == "retired"
    keystore.remove("b")
    for one in (keystore, Keystore.open(file_of(keystore), passphrase)):
        assert one.key_of(key.account) is None
        for name in ("a", "b"):
            with pytest.raises(KeystoreError):
                one.sign(name, DIGEST)


def test_a_failed_write_changes_nothing(
    keystore: Keystore, passphrase: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    keystore.generate("a", NOW)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for changing in (lambda: keystore.generate("b", NOW), lambda: keystore.rotate(Secret("x" * 12))):
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", full)
            with pytest.raises(OSError, match="No space"):
                changing()
        assert [key.name for key in keystore.listing()] == ["a"]
        assert [key.name for key in Keystore.open(file_of(keystore), passphrase).listing()] == ["a"]
    keystore.generate("b", NOW)


def test_bounds(keystore: Keystore, monkeypatch: pytest.MonkeyPatch) -> None:
    keystore.generate("a", NOW)
    for name in ("a", "", "-", "x" * 65, "a b", "é"):
        with pytest.raises(KeystoreError):
            keystore.generate(name, NOW)
    for secret in (bytes(32), b"\xff" * 32, b"short"):
        with pytest.raises(KeystoreError):
            keystore.import_secret("b", Secret(secret), NOW)
    monkeypatch.setattr(keyfile, "MAX_KEYS", 2)
    with pytest.raises(KeystoreError, match="at most 2"):
        keystore.generate_all(["b", "c"], NOW)
    assert [key.name for key in keystore.listing()] == ["a"]
    with pytest.raises(KeystoreError, match="at least"):
        keystore.rotate(Secret("short"))


def test_a_body_is_signed_for_each_account(keystore: Keystore) -> None:
    one, two = keystore.generate_all(["a", "b"], NOW)
    raw = keystore.sign_body(b"body", [(one.account, "a"), (two.account, "b")])
    envelope = read_envelope(raw)
    assert signatures_valid(envelope)
    assert [signed.account for signed in envelope.signatures] == [one.account, two.account]


def test_derived_keys_differ_by_purpose_and_outlive_a_rotation(keystore: Keystore) -> None:
    keystore.generate("vault", NOW)
    before = keystore.derived("vault", "stoa.vault")
    keystore.rotate(Secret("the passphrase of next year"))
    assert keystore.derived("vault", "stoa.vault") == before
    assert keystore.derived("vault", "stoa.other") != before


def told(error: BaseException | None) -> Iterator[str]:
    """All that a crash reporter could show of an error: messages, and the locals of our own frames."""
    while error is not None:
        yield str(error)
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if "tests" not in Path(frame.f_code.co_filename).parts:
                yield repr(frame.f_locals)
        error = error.__context__


def test_nothing_secret_in_errors_with_all_locals(keystore: Keystore) -> None:
    keystore.import_secret("known", Secret(KNOWN), NOW)
    hidden = Secret("correct horse battery")
    path = file_of(keystore)
    acts: list[Callable[[], object]] = [
        lambda: Keystore.open(path, hidden),
        lambda: Keystore.create(path, hidden, CHEAP),
        lambda: keystore.import_secret("known", Secret(KNOWN), NOW),
        lambda: keystore.import_secret("bad", Secret(KNOWN + b"x"), NOW),
        lambda: keystore.sign("known", b"short"),
        lambda: keystore.sign("unknown", DIGEST),
        lambda: keystore.export("known", path, hidden, CHEAP),
        lambda: keystore.import_file(path, hidden, NOW),
    ]
    for act in acts:
        with pytest.raises(KeystoreError) as caught:
            act()
        report = "\n".join(told(caught.value))
        assert "keystore" in report.lower()
        for value in (hidden.reveal(), KNOWN):
            assert value.hex() not in report
            assert repr(value)[2:-1] not in report


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret("correct horse battery")
    for text in (repr(secret), str(secret), f"{secret}", f"{[secret]}"):
        assert "horse" not in text
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret == Secret(b"correct horse battery")
    assert secret != "correct horse battery"


def test_korean_is_the_same_however_it_is_composed() -> None:
    assert Secret("\ud55c\uae00") == Secret("\u1112\u1161\u11ab\u1100\u1173\u11af")


def test_a_lock_that_is_held_is_reported(tmp_path: Path) -> None:
    held = durable.take(tmp_path / "lock", wait=False)
    with pytest.raises(durable.Busy):
        durable.take(tmp_path / "lock", wait=False)
    os.close(held)
    os.close(durable.take(tmp_path / "lock", wait=False))
