"""``stoa restore``: a ledger's folder made from a copy, which cannot be started before it is safe to start.

Left behind is what the journal makes again, and what belongs to processes of the old machine. The settings come last:
without them there is no ledger in the folder, so whatever interrupts a restore, nothing starts from what it left.
"""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

from cyclopts import Parameter

from stoa.cli.houses import HERE, config_of, require_new
from stoa.cli.proving import checked
from stoa.cli.shell import PLAIN, Common, Trouble, Usage, app

if TYPE_CHECKING:
    from stoa.node.config import Config

VAULT_KEYS: Final = Path("vault", "keys")  # kept apart from the vault's records
OF_SQLITE: Final = ("", "-wal", "-shm", "-journal")  # what SQLite keeps beside a file


class Sound(NamedTuple):
    """A journal without a flaw: its height, and of how many blocks others keep the body."""

    height: int
    dropped: int = 0


@app.command
def restore(
    copy: Annotated[Path, Parameter(help="A copy of the ledger's folder.")],
    *,
    common: Common = PLAIN,
) -> None:
    """Make the ledger's folder, new or empty, from a copy: all but what is made again. The journal is verified.

    In a network the validator comes back away from the quorum, since votes that it cast may be missing in the copy.
    """
    from stoa.node.config import FILE

    folder = common.folder or HERE
    config = config_of(replace(common, folder=copy))
    _require_apart(copy, folder, common)
    was_there = folder.is_dir()
    try:
        _copied(copy, folder, _left_behind(copy, config) | {copy / FILE})
        sound = _sound(folder, config, common)
        _copied(copy, folder, {inner for inner in copy.iterdir() if inner.name != FILE})
    except OSError as error:
        _removed(folder, was_there)
        raise Trouble(f"{error.filename or folder}: {error.strerror or error}") from None
    except BaseException:
        _removed(folder, was_there)
        raise
    _tell(folder, config, sound, common)


def _require_apart(copy: Path, folder: Path, common: Common) -> None:
    """Raises Usage unless the folder is new or empty, outside the copy, and nobody runs on the copy."""
    require_new(folder, common)
    if folder.resolve().is_relative_to(copy.resolve()):
        raise Usage(common.words(f"{folder} is inside {copy}.", f"{folder}이(가) {copy} 안에 있습니다."))
    if _is_held(copy):
        raise Usage(
            common.words(
                f"A node runs on {copy}, and one journal has one node: stop it, or give a copy.",
                f"{copy}에서 노드가 실행 중입니다. 저널 하나에 노드는 하나뿐이므로 종료하거나 사본을 지정하십시오.",
            )
        )


def _is_held(copy: Path) -> bool:
    from stoa.journal.disk import REAL_DISK
    from stoa.journal.segment import LOCK_NAME
    from stoa.node.node import JOURNAL_FOLDER

    lock = copy / JOURNAL_FOLDER / LOCK_NAME
    try:
        if lock.exists():
            REAL_DISK.lock(lock).release()
    except BlockingIOError:
        return True
    except OSError:
        return False  # a copy that can only be read: nobody runs on it
    return False


def _left_behind(copy: Path, config: "Config") -> set[Path]:
    from stoa.network.folders import LOG, RUN, STORE
    from stoa.node.node import SNAPSHOT_FOLDER, STATE_FOLDER

    views = [] if "://" in config.views else [f"{config.views}{end}" for end in OF_SQLITE]
    return {copy / name for name in (STATE_FOLDER, SNAPSHOT_FOLDER, STORE, RUN, LOG, *views)}


def _copied(source: Path, folder: Path, left: set[Path]) -> None:
    """Copy what is in a folder, synced and for the owner alone, except for what is left behind."""
    from stoa.custody import durable

    durable.private_directory(folder)
    folder.chmod(durable.OWNER_ONLY_DIRECTORY)
    for inner in sorted(source.iterdir()):
        if inner in left:
            continue
        if inner.is_dir():
            _copied(inner, folder / inner.name, left)
        elif inner.is_file():
            durable.copy(inner, folder / inner.name)
    durable.sync_directory(folder)
    durable.sync_directory(folder.parent)


def _sound(folder: Path, config: "Config", common: Common) -> Sound:
    """What there is of a journal that has no flaw; in a network it is noted that votes may be lost. Raises Trouble."""
    from stoa.custody.durable import OWNER_ONLY
    from stoa.node.details import VotesLost
    from stoa.node.lost_votes import FILE, LostVotes
    from stoa.node.node import JOURNAL_FOLDER

    journal = folder / JOURNAL_FOLDER
    if config.network is None:
        return Sound(checked(journal, None, common).height)
    sound = _record(journal) or Sound(checked(journal, None, common).height)
    LostVotes(folder).note(VotesLost())
    (folder / FILE).chmod(OWNER_ONLY)
    return sound


def _record(journal: Path) -> Sound | None:
    """Of a journal that others keep bodies of, and so cannot be executed here: its record alone. Raises Trouble."""
    from stoa.journal import NoJournal
    from stoa.journal.check import inspect

    try:
        report = inspect(journal)
    except NoJournal as error:
        raise Trouble(f"{error}") from None
    if not report.dropped:
        return None
    if report.damages or report.head is None:
        flaws = [str(damage) for damage in report.damages]
        raise Trouble("\n".join(flaws), flaws=flaws)
    return Sound(report.head.height, report.dropped)


def _removed(folder: Path, was_there: bool) -> None:
    """Leave nothing of a restore that failed."""
    if not was_there:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for inner in folder.iterdir():
        if inner.is_dir():
            shutil.rmtree(inner, ignore_errors=True)
        else:
            inner.unlink(missing_ok=True)


def _tell(folder: Path, config: "Config", sound: Sound, common: Common) -> None:
    """What is there, what to put back, and what comes next."""
    keys = [config.keystore, *([str(VAULT_KEYS)] if (folder / VAULT_KEYS.parent).is_dir() else [])]
    missing = [name for name in keys if not (folder / name).is_file()]
    away = config.network is not None
    answer = {"folder": str(folder), **sound._asdict(), "votes_lost": away, "missing": missing}
    en = [f"The ledger is in {folder}, verified up to block {sound.height}."]
    ko = [f"원장을 {folder}에 복원하고 블록 {sound.height}까지 검증했습니다."]
    if sound.dropped:
        en.append(f"Others keep the bodies of {sound.dropped} blocks: of these the record alone was verified.")
        ko.append(f"블록 {sound.dropped}개의 본문은 다른 기관이 보관하므로 그 기록만 검증했습니다.")
    if missing:
        en.append("Put back what was kept apart: " + ", ".join(missing) + ".")
        ko.append("따로 보관한 것을 되돌려 놓으십시오: " + ", ".join(missing) + ".")
    en.append("See to it that the old one never starts again.")
    ko.append("이전 노드가 다시 시작되지 않도록 하십시오.")
    if away:
        en.append("Start its ordering server, then its validator: it votes again once no lost vote can matter.")
        ko.append("순서 서버와 검증기관을 차례로 시작하십시오. 유실된 투표가 문제되지 않을 때 다시 투표합니다.")
    else:
        en.append(f"Run it: stoa up --folder {folder}")
        ko.append(f"실행: stoa up --folder {folder}")
    common.done(answer, "\n".join(en), "\n".join(ko))
