"""The vault: personal data is unreadable without the keys, and after erasing unreadable with them."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoa.custody import keyring
from stoa.custody.durable import Busy
from stoa.custody.keyring import WrongMasterKey
from stoa.custody.keystore import Keystore
from stoa.custody.person import Contact, Document, Person
from stoa.custody.sealing import Tampered
from stoa.custody.secret import Secret
from stoa.custody.vault import MASTER_PURPOSE, MAX_PARTY, Vault, VaultError

NOW = 1_800_000_000_000
MASTER = Secret(b"m" * 32)
KIM = Person(
    "Kim Ha-neul",
    local_name="김하늘",
    country="KR",
    contacts=(Contact("email", "kim@example.org"),),
    documents=(Document("passport", "M12345678", "KR", "image/jpeg", b"\xff\xd8picture"),),
)
LEE = Person("Lee Ltd", kind="legal", country="SG")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def vault(home: Path) -> Iterator[Vault]:
    with_keys = Vault(home, MASTER)
    yield with_keys
    with_keys.close()


def everything(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file())


def test_a_record_comes_back_after_closing(home: Path) -> None:
    vault = Vault(home, MASTER)
    party, other = vault.draw(), vault.draw()
    vault.put(party, LEE, NOW)
    vault.put(party, KIM, NOW)
    vault.put(other, LEE, NOW)
    vault.close()
    vault = Vault(home, MASTER)
    assert vault.get(party) == KIM
    assert vault.get(other) == LEE
    assert vault.get(1) is None
    assert vault.parties() == tuple(sorted((party, other)))
    vault.close()


def test_nothing_personal_stands_in_the_files_or_in_a_log(vault: Vault, home: Path) -> None:
    vault.put(7, KIM, NOW)
    kept = everything(home)
    for text in (KIM.name, KIM.local_name, "kim@example.org", "M12345678"):
        assert text.encode() not in kept
    assert "Kim" not in f"{KIM}"
    for path in home.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_party_numbers_are_random(vault: Vault) -> None:
    drawn = {vault.draw() for _ in range(200)}
    assert len(drawn) == 200
    assert all(1 <= party <= MAX_PARTY for party in drawn)
    assert sum(party > 2**62 for party in drawn) in range(50, 150)


def test_erasing_erases_even_for_who_kept_a_copy_and_the_master_key(home: Path, tmp_path: Path) -> None:
    vault = Vault(home, MASTER)
    vault.put(7, KIM, NOW)
    vault.put(8, LEE, NOW)
    sealed_key = (home / "keys").read_bytes()[keyring.SLOT_BYTES + 17 : 2 * keyring.SLOT_BYTES].rstrip(b"\0")
    shutil.copytree(home / "records", tmp_path / "copy")
    assert vault.erase(7, NOW + 1) is True
    assert vault.get(7) is None
    assert vault.parties() == (8,)
    assert vault.erased() == {7: NOW + 1}
    assert vault.erase(7, NOW) is False
    assert vault.erase(9, NOW) is False
    assert sealed_key[:16] not in everything(home)
    with pytest.raises(VaultError, match="erased"):
        vault.put(7, KIM, NOW)
    vault.close()

    shutil.rmtree(home / "records")
    shutil.copytree(tmp_path / "copy", home / "records")  # the copy of yesterday, put back in place
    again = Vault(home, MASTER)
    assert again.get(7) is None
    assert again.get(8) == LEE
    assert again.draw() not in (7, 8)
    again.close()


def test_a_crash_between_key_and_record_is_finished_on_opening(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = Vault(home, MASTER)
    vault.put(7, KIM, NOW)

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", crash)
        with pytest.raises(KeyboardInterrupt):
            vault.erase(7, NOW)
    vault.close()
    assert (home / "records" / "00" / f"{7:016x}").exists()
    again = Vault(home, MASTER)
    assert again.get(7) is None
    assert not (home / "records" / "00" / f"{7:016x}").exists()
    again.close()


@pytest.mark.parametrize("torn", [b"\1", b"\1" * 100, b"\0" * 128])
def test_a_torn_slot_does_not_disturb_the_others(home: Path, torn: bytes) -> None:
    vault = Vault(home, MASTER)
    vault.put(7, KIM, NOW)
    vault.close()
    with (home / "keys").open("ab") as file:
        file.write(torn)
    for party in (8, 9):
        vault = Vault(home, MASTER)
        vault.put(party, LEE, NOW)
        vault.close()
    vault = Vault(home, MASTER)
    assert vault.parties() == (7, 8, 9)
    assert [vault.get(party) for party in (7, 8, 9)] == [KIM, LEE, LEE]
    vault.close()


def test_another_master_key_opens_nothing(home: Path) -> None:
    Vault(home, MASTER).close()
    with pytest.raises(WrongMasterKey):
        Vault(home, Secret(b"n" * 32))
    Vault(home, MASTER).close()  # the failed attempt let go of the lock


def test_one_process_at_a_time(vault: Vault, home: Path) -> None:
    with pytest.raises(Busy):
        Vault(home, MASTER)


def test_a_record_opens_only_for_its_own_party(vault: Vault, home: Path) -> None:
    vault.put(7, KIM, NOW)
    vault.put(8, LEE, NOW)
    records = home / "records" / "00"
    (records / f"{8:016x}").write_bytes((records / f"{7:016x}").read_bytes())
    with pytest.raises(Tampered):
        vault.get(8)
    assert vault.get(7) == KIM


@given(data=st.data())
@settings(max_examples=60)
def test_any_flipped_bit_is_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    home = tmp_path_factory.getbasetemp() / "flips"
    shutil.rmtree(home, ignore_errors=True)
    vault = Vault(home, MASTER)
    vault.put(7, LEE, NOW)
    vault.close()
    path = home / "records" / "00" / f"{7:016x}"
    spot = path.stat().st_size
    place = data.draw(st.integers(0, spot + 59))  # the record, then its sealed key
    if place >= spot:
        path, place = home / "keys", keyring.SLOT_BYTES + 17 + place - spot
    changed = bytearray(path.read_bytes())
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(changed)
    vault = Vault(home, MASTER)
    with pytest.raises(Tampered):
        vault.get(7)
    vault.close()


def test_bounds(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    for party in (0, -1, 2**63):
        with pytest.raises(VaultError):
            vault.put(party, KIM, NOW)
    with pytest.raises(VaultError):
        vault.put(7, Person("x" * 501), NOW)
    monkeypatch.setattr(keyring, "MAX_PARTIES", 1)
    vault.put(7, KIM, NOW)
    with pytest.raises(ValueError, match="at most 1"):
        vault.put(8, KIM, NOW)
    assert vault.parties() == (7,)


def test_the_keystore_gives_the_master_key(keystore: Keystore, home: Path) -> None:
    keystore.generate("vault", NOW)
    vault = Vault(home, keystore.derived("vault", MASTER_PURPOSE))
    vault.put(7, KIM, NOW)
    vault.close()
    keystore.rotate(Secret("the passphrase of next year"))
    vault = Vault(home, keystore.derived("vault", MASTER_PURPOSE))
    assert vault.get(7) == KIM
    vault.close()


def test_the_key_file_is_never_replaced(vault: Vault, home: Path) -> None:
    vault.put(7, KIM, NOW)
    before = os.stat(home / "keys").st_ino
    vault.erase(7, NOW)
    assert os.stat(home / "keys").st_ino == before
