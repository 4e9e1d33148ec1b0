"""From the common options to a folder's parts: settings, passphrase, journal, views, and a door to talk to.

A command talks to the running node through its API where there is one; where there is none, it opens the house for as
long as it takes. Reading needs neither node nor passphrase.
"""

import getpass
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stoa.cli.shell import Common, Trouble, Usage

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from stoa.api.opening import OpenHouse, OpenNode
    from stoa.client import Client
    from stoa.custody.secret import Secret
    from stoa.journal.journal import Journal
    from stoa.node.config import Config
    from stoa.readmodel.views import Views

GLANCE_SECONDS: Final = 0.2
HERE: Final = Path("ledger")  # the folder where --folder and STOA_FOLDER are not given


def folder_of(common: Common) -> Path:
    """The ledger's folder. Raises Usage when there is no ledger in it."""
    from stoa.node.config import FILE

    folder = common.folder or HERE
    if not (folder / FILE).is_file():
        _refuse_network(folder, common)
        raise Usage(
            common.words(
                f"There is no ledger in {folder} (no {FILE}). Make one with: stoa init {folder}; or give --folder.",
                f"{folder}에 원장이 없습니다({FILE} 없음). stoa init {folder} 로 만들거나 --folder를 지정하십시오.",
            )
        )
    return folder


def require_new(folder: Path, common: Common) -> None:
    """Raise Usage if something is in the way of a folder that is to be made."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise Usage(common.words(f"{folder} is not empty: choose a new folder.", f"{folder}이(가) 비어 있지 않습니다."))


def _refuse_network(folder: Path, common: Common) -> None:
    """Raise Usage if the folder is a network's, in which each institution has a ledger of its own."""
    from stoa.network.folders import PLAN
    from stoa.node.config import FILE

    inner = sorted(path.parent for path in folder.glob(f"*/{FILE}") if path.with_name(PLAN).is_file())
    if inner:
        others = ", ".join(one.name for one in inner)
        raise Usage(
            common.words(
                f"{folder} is the folder of a network: give that of an institution in it, e.g. --folder {inner[0]} "
                f"(here are: {others}).",
                f"{folder}은(는) 네트워크의 폴더입니다. 그 안에 있는 기관의 폴더를 지정하십시오. "
                f"예: --folder {inner[0]} (있는 기관: {others}).",
            )
        )


def config_of(common: Common) -> "Config":
    """The settings. Raises Usage."""
    from stoa.node.config import BadConfig, load_config

    try:
        return load_config(folder_of(common))
    except BadConfig as error:
        raise Usage(str(error)) from None


def secret(common: Common, variable: str, en: str, ko: str, new: bool = False) -> "Secret":
    """A secret word, from an environment variable or from the keyboard; a new one is asked for twice. Raises Usage.

    A variable that is empty gives none.
    """
    from stoa.custody.secret import Secret

    if given := os.environ.get(variable):
        return Secret(given)
    asked = common.words(en, ko)
    if not sys.stdin.isatty():
        raise Usage(
            common.words(
                f"{asked} is needed: set {variable}, or run this on a terminal.",
                f"{asked}이(가) 필요합니다. {variable}를 설정하거나 터미널에서 실행하십시오.",
            )
        )
    first = Secret(getpass.getpass(f"{asked}: "))
    if new and first != Secret(getpass.getpass(common.words("Once more: ", "다시 한 번: "))):
        raise Usage(common.words("The two differ.", "두 입력이 다릅니다."))
    return first


def passphrase(common: Common, new: bool = False) -> "Secret":
    """The keystore's passphrase."""
    from stoa.node.config import PASSPHRASE_VARIABLE

    return secret(common, PASSPHRASE_VARIABLE, "The keystore's passphrase", "키 저장소의 암호", new)


@contextmanager
def journal_of(common: Common) -> "Iterator[Journal]":
    """The journal, read beside whoever writes it. Raises Trouble when it cannot be read."""
    from stoa.journal.faults import Damaged, NoJournal
    from stoa.journal.journal import Journal
    from stoa.node.node import JOURNAL_FOLDER

    try:
        journal = Journal.open(folder_of(common) / JOURNAL_FOLDER, readonly=True)
    except (Damaged, NoJournal) as error:
        raise Trouble(f"{error}. Run: stoa verify") from None
    with journal:
        yield journal


def is_running(common: Common) -> bool:
    """Whether the folder's node listens on its port."""
    with socket.socket() as probe:
        probe.settimeout(GLANCE_SECONDS)
        return probe.connect_ex(("127.0.0.1", config_of(common).port)) == 0


@contextmanager
def views_of(common: Common) -> "Iterator[Views]":
    """The views; brought up to the journal first if no running node does that."""
    from stoa.api.opening import views_of as open_views

    views = open_views(folder_of(common), config_of(common))
    try:
        if not is_running(common):
            _catch_up(common, views)
        yield views
    finally:
        views.close()


def _catch_up(common: Common, views: "Views") -> None:
    from stoa.readmodel.rebuild import catch_up

    with journal_of(common) as journal:
        catch_up(views, journal.genesis, journal.header(0), journal.replay)


@contextmanager
def reading(common: Common) -> "Iterator[tuple[Connection, int]]":
    """A connection to the views as they stand now, and the time: that of the last block if the clock is behind it."""
    from stoa.node.node import wall_clock
    from stoa.readmodel.views import tip

    with views_of(common) as views, views.read() as connection:
        at = tip(connection)
        yield connection, max(wall_clock(), at.time if at else 0)


@contextmanager
def door(common: Common) -> "Iterator[tuple[Client, str]]":
    """A client of the running node, or of the house opened just for this; and the door's address."""
    from stoa.client import Client

    if is_running(common):
        url = f"http://127.0.0.1:{config_of(common).port}"
        with Client(url) as client:
            yield client, url
        return
    from stoa.api.app import create_app
    from stoa.api.serve import Door, free_port

    with opened(common) as house, Door(create_app(house.services), free_port()) as own, Client(own.url) as client:
        yield client, own.url


@contextmanager
def operating(common: Common) -> "Iterator[Client]":
    """A client of the running node for who runs it: the passphrase opens the key that it knows. Raises Usage."""
    from stoa.api.opening import operator_key
    from stoa.client import Client
    from stoa.client.seal import Seal
    from stoa.custody.keystore import Keystore, KeystoreError

    config = config_of(common)
    try:
        key = operator_key(config, Keystore(folder_of(common) / config.keystore, passphrase(common)))
    except KeystoreError as error:
        raise Usage(str(error)) from None
    with Client(f"http://127.0.0.1:{config.port}", Seal(key.reveal(), config.audience)) as client:
        yield client


@contextmanager
def opened(common: Common) -> "Iterator[OpenHouse]":
    """The house, opened by this command. Raises Trouble and Usage in the words of what is wrong."""
    from stoa.api.opening import OpenHouse

    with _troubled(), OpenHouse(folder_of(common), passphrase(common)) as house:
        yield house


@contextmanager
def opened_node(common: Common) -> "Iterator[OpenNode]":
    """The house's validator alone, opened by this command. Raises Trouble and Usage."""
    from stoa.api.opening import OpenNode

    with _troubled(), OpenNode(folder_of(common), passphrase(common)) as house:
        yield house


@contextmanager
def _troubled() -> "Iterator[None]":
    from stoa.custody.durable import Busy
    from stoa.custody.keystore import KeystoreError
    from stoa.custody.policy import PolicyError
    from stoa.journal.faults import Damaged, Occupied
    from stoa.node.links import CannotReach
    from stoa.ordering.jetstream_log import LogUnfit
    from stoa.ordering.jetstream_safe import LogUnsafe

    try:
        yield
    except (KeystoreError, PolicyError) as error:
        raise Usage(str(error)) from None
    except (Occupied, Busy) as error:
        raise Trouble(f"{error}: another process has this ledger open") from None
    except (CannotReach, LogUnfit, LogUnsafe) as error:
        raise Trouble(str(error)) from None
    except Damaged as error:
        raise Trouble(f"{error}. Run: stoa verify") from None
