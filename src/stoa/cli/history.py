"""``stoa prove history``: that today's ledger extends the one whose root was kept, and the root to keep from now on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from stoa.cli.houses import door
from stoa.cli.proving import Out, prove
from stoa.cli.shell import PLAIN, Common, Refused, Trouble, Usage

if TYPE_CHECKING:
    from stoa.client import Client
    from stoa.client.views import Keys
    from stoa.wire.history import LogRoot


@prove.command
def history(
    file: Out,
    *,
    keys: Annotated[Path, Parameter(help="The file of public keys, from a source that you trust.")],
    since: Annotated[Path | None, Parameter(help="The file that you kept; without it a first one is made.")] = None,
    url: Annotated[str | None, Parameter(help="A door to ask in place of the folder's.")] = None,
    common: Common = PLAIN,
) -> None:
    """Check that the ledger still begins with what it was when you kept its root, and keep today's."""
    from stoa.client import BadProof, ClientError, write_root

    known, kept = _keys(keys), None if since is None else _root(since)
    try:
        with _door(common, url) as client:
            root = client.check_history(known.public(), known.quorum, kept)
        write_root(file, root)
    except BadProof as error:
        raise Refused(
            common.words(f"It does not hold: {error}.", f"증명이 성립하지 않습니다: {error}."), holds=False
        ) from None
    except ClientError as error:
        raise Trouble(str(error)) from None
    except OSError as error:
        raise Usage(f"{error.filename}: {error.strerror}") from None
    answer = {"holds": True, "chain": root.chain, "height": root.height, "since": kept.height if kept else 0}
    if kept is None:
        said = (
            f"The root of block {root.height} is in {file}: keep it.",
            f"블록 {root.height}의 루트를 {file}에 보관했습니다.",
        )
    else:
        said = (
            f"The ledger of block {root.height} extends that of block {kept.height}; today's root is in {file}.",
            f"블록 {root.height}의 원장은 블록 {kept.height}까지를 그대로 잇습니다. 오늘의 루트: {file}",
        )
    common.done(answer, *said)


@contextmanager
def _door(common: Common, url: str | None) -> "Iterator[Client]":
    from stoa.client import Client

    if url is None:
        with door(common) as (client, _):
            yield client
    elif not url.startswith(("http://", "https://")):
        raise Usage(f"--url: {url}: wanted is an address such as http://127.0.0.1:7080")
    else:
        with Client(url) as client:
            yield client


def _keys(file: Path) -> "Keys":
    import msgspec

    from stoa.client.views import Keys

    try:
        return msgspec.json.decode(file.read_bytes(), type=Keys)
    except OSError as error:
        raise Usage(f"{error.filename}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise Usage(f"{file}: {error}: wanted is a file of public keys") from None


def _root(file: Path) -> "LogRoot":
    from stoa.client import read_root

    try:
        return read_root(file)
    except OSError as error:
        raise Usage(f"{error.filename}: {error.strerror}") from None
    except ValueError as error:
        raise Usage(f"{file}: {error}: wanted is a file that `stoa prove history` wrote") from None
