"""``stoa keys``: the keystore."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from stoa.cli.houses import config_of, folder_of, passphrase, secret
from stoa.cli.shell import PLAIN, Common, Usage, app

if TYPE_CHECKING:
    from stoa.custody.keystore import Key, Keystore

keys = App(name="keys", help="Keys in the keystore: create, list, export, import, retire; change the passphrase.")
app.command(keys)
Out = Annotated[Path, Parameter(help="A new file.")]


@contextmanager
def _keystore(common: Common) -> "Iterator[Keystore]":
    from stoa.custody.keystore import Keystore, KeystoreError

    path = folder_of(common) / config_of(common).keystore
    try:
        yield Keystore(path, passphrase(common))
    except FileNotFoundError:
        raise Usage(f"keystore: there is no file {path}") from None
    except KeystoreError as error:
        raise Usage(str(error)) from None


def _line(key: "Key") -> dict[str, Any]:
    return {"name": key.name, "address": key.address, "public": key.public.hex(), "status": key.status}


@keys.command(name="list")
def list_keys(*, common: Common = PLAIN) -> None:
    """List the keys with the accounts that each controls alone."""
    with _keystore(common) as keystore:
        lines = [_line(key) for key in keystore.listing()]
    common.rows("keys", lines)


@keys.command
def create(name: str, *, common: Common = PLAIN) -> None:
    """Make a new random key."""
    from stoa.node.node import wall_clock

    with _keystore(common) as keystore:
        key = keystore.generate(name, wall_clock())
    common.done(_line(key), f"{key.name}: {key.address}", f"{key.name}: {key.address}")


@keys.command
def export(name: str, file: Out, *, common: Common = PLAIN) -> None:
    """Write one key to a keystore file of its own, sealed under the same passphrase."""
    with _keystore(common) as keystore:
        keystore.export(name, file, passphrase(common))
    common.done({"name": name, "file": str(file)}, f"{name} is in {file}.", f"{name}을(를) {file}에 저장했습니다.")


@keys.command(name="import")
def import_keys(file: Annotated[Path, Parameter(help="An exported keystore file.")], *, common: Common = PLAIN) -> None:
    """Take in every key of an exported file, sealed under the same passphrase."""
    from stoa.node.node import wall_clock

    if not file.is_file():
        raise Usage(f"file: there is no file {file}")
    with _keystore(common) as keystore:
        taken = [_line(key) for key in keystore.import_file(file, passphrase(common), wall_clock())]
    common.rows("keys", taken)


@keys.command
def retire(name: str, *, common: Common = PLAIN) -> None:
    """Keep a key, but never sign with it again."""
    with _keystore(common) as keystore:
        key = keystore.retire(name)
    common.done(_line(key), f"{key.name} is retired.", f"{key.name}을(를) 더 이상 쓰지 않습니다.")


@keys.command
def rotate(*, common: Common = PLAIN) -> None:
    """Seal the keystore under a new passphrase (STOA_NEW_PASSPHRASE, or asked for)."""
    with _keystore(common) as keystore:
        keystore.rotate(secret(common, "STOA_NEW_PASSPHRASE", "The new passphrase", "새 암호", new=True))
        count = len(keystore.listing())
    en = f"The {count} keys are sealed under the new passphrase."
    common.done({"keys": count}, en, f"{count}개의 키를 새 암호로 봉인했습니다.")
