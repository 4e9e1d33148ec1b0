"""Faults of a validator's machine: a disk that is full, slow or fails, files that are not what was written, a clock.

Owns how they are made and what only they must show. Does not own: what the disk below does when it is told so
(``trouble.py``).
"""

import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final

import lmdb
import msgspec
from msgspec.structs import replace

from stoa.bench.faults import Down, Fault, blocks, events, size_of
from stoa.bench.site import Site
from stoa.bench.trouble import FILE as TROUBLE_FILE
from stoa.bench.trouble import Trouble
from stoa.kernel.codec import encode
from stoa.ledger.assets.model import HOLDINGS
from stoa.network import folders
from stoa.node.commit import BAD_BATCH
from stoa.node.evidence import FILE as EVIDENCE_FILE
from stoa.node.node import JOURNAL_FOLDER, STATE_FOLDER
from stoa.node.state_store import MAP_BYTES

STOP_SECONDS: Final = 20.0  # for a validator to stop by itself
GLANCE: Final = 0.05
FREE_BYTES: Final = 16 * 1024  # left of a disk that is filled up, so that it is full in the middle of the work
OF_STORES: Final = re.compile(r"\[(?:WRN|ERR)\].*(?i:stream|consumer|filestore|checksum|corrupt|state)")
MOST_SAID: Final = 5
FLIPPED_BYTES: Final = 64
PAGE_BYTES: Final = 4_096  # of the state store
FLIPPED_EVERY: Final = 4_096
SLOW_MS: Final = 250.0
OFF_MS: Final = 60_000


class Troubled(Fault):
    """The validator's machine is told to have a trouble."""

    trouble = Trouble()

    def fail(self) -> None:
        """Tell it."""
        super().fail()
        for code in self.codes:
            path = self.site.home(code) / TROUBLE_FILE
            path.with_suffix(".new").write_bytes(msgspec.json.encode(self.trouble))
            path.with_suffix(".new").replace(path)

    def come_back(self) -> None:
        """All is well."""
        for code in self.codes:
            self.make_well(code)

    def make_well(self, code: str) -> None:
        """Of this one."""
        (self.site.home(code) / TROUBLE_FILE).unlink(missing_ok=True)


class SlowSync(Troubled):
    """Every sync takes long."""

    trouble = Trouble(sync_ms=SLOW_MS)


class Stopping(Troubled):
    """The validator must stop by itself and is started again when the fault is over."""

    def __init__(self, site: Site, codes: Sequence[str]) -> None:
        super().__init__(site, codes)
        self._ended: set[str] = set()

    def come_back(self) -> None:
        """Wait until it has stopped by itself, end the fault, start it."""
        until = time.monotonic() + STOP_SECONDS
        while not all(map(self.site.has_ended, self.codes)) and time.monotonic() < until:
            time.sleep(GLANCE)
        self._ended = {code for code in self.codes if self.site.has_ended(code)}
        super().come_back()
        for code in self.codes:
            self.site.kill_validator(code)  # whoever did not end
            self.site.start_validator(code)

    def wrong(self) -> Iterator[str]:
        """It went on, or said nothing."""
        yield from super().wrong()
        yield from (f"{code} did not stop" for code in self.codes if code not in self._ended)


class SyncFails(Stopping):
    """A sync fails. Nothing that it was to make durable may be voted for."""

    says = r'Input/output error.*"event": "stopped"'
    trouble = Trouble(sync_fails=True)

    def wrong(self) -> Iterator[str]:
        """A vote of it was counted for a block that it did not see final before it stopped."""
        yield from super().wrong()
        for code in self.codes:
            lines = self.lines(code)
            stopped = next((at for at, line in enumerate(lines) if '"event": "stopped"' in line), 0)
            last = max((block["height"] for block in blocks(lines[:stopped])), default=-1)
            back = min((block["height"] for block in blocks(lines[stopped:])), default=0)
            for other in (one for one in self.site.buses if one not in self.codes):
                for block in blocks(self.lines(other)):
                    if 0 <= last < block["height"] < min(back, last + 2) and code in block["votes"]:
                        yield f"{code} voted for block {block['height']}, which it had not synced"


class DiskFull(Stopping):
    """There is no room: on a small disk that is really full, or, where none can be mounted, as the machine is told."""

    says = r'no room on the disk.*"event": "stopped"'
    trouble = Trouble(full=True)

    def __init__(self, site: Site, codes: Sequence[str]) -> None:
        super().__init__(site, codes)
        self._small = False

    def prepare(self) -> None:
        """Move it to a small disk, if there can be one."""
        for code in self.codes:
            self.site.kill_validator(code)
            self._small = self.site.small_disk(code)
            self.site.start_validator(code)
            self.site.await_validator(code)

    def fail(self) -> None:
        """Fill the disk."""
        if not self._small:
            super().fail()
            return
        Fault.fail(self)
        for code in self.codes:
            room = os.statvfs(self.site.home(code))
            with self._filler(code).open("wb") as filler, suppress(OSError):
                os.posix_fallocate(filler.fileno(), 0, max(1, room.f_bavail * room.f_frsize - FREE_BYTES))

    def make_well(self, code: str) -> None:
        """Make room."""
        super().make_well(code)
        self._filler(code).unlink(missing_ok=True)
        self.site.give_room(code)

    def _filler(self, code: str) -> Path:
        return self.site.home(code) / "filler"


class Corrupted(Down):
    """A validator is killed, and bytes of its files are others when it starts again."""

    inner = ""

    def fail(self) -> None:
        """Kill it and spoil its files."""
        super().fail()
        for code in self.codes:
            self.spoil(self.spoiled(code))

    def spoil(self, path: Path) -> None:
        """Let its bytes be others."""
        spoil(path)

    def spoiled(self, code: str) -> Path:
        """The largest file of the folder."""
        files = [path for path in (self.site.home(code) / self.inner).iterdir() if path.is_file()]
        return max(files, key=size_of)


class StateCorrupted(Corrupted):
    """The state store's pages: each loses its beginning, which says what it is. Other bytes may be a row's, which
    the store cannot tell from another row: ``StateRowChanged``."""

    inner = STATE_FOLDER
    says = r'"event": "(?:rebuilt|healing)"'

    def spoil(self, path: Path) -> None:
        """All pages but the two that say where the others begin."""
        with path.open("r+b") as file:
            for start in range(2 * PAGE_BYTES, path.stat().st_size, PAGE_BYTES):
                file.seek(start)
                file.write(bytes(FLIPPED_BYTES))


class StateRowChanged(Corrupted):
    """One row of the state store: a line of the register has a unit more, and nothing in the store tells it from a true
    one. It is a frozen line, which no transfer reads, so that only a root over all rows can tell it."""

    inner = STATE_FOLDER
    says = r'"event": "healing"'
    patience = 120.0

    def spoil(self, path: Path) -> None:
        """With LMDB itself."""
        with lmdb.open(str(path.parent), map_size=MAP_BYTES) as store, store.begin(write=True) as rows:
            cursor = rows.cursor()
            cursor.set_range(HOLDINGS.prefix)
            key, line = next((key, line) for key, raw in cursor if (line := HOLDINGS.decode(raw)).frozen)
            rows.put(key, encode(replace(line, units=line.units + 1)))

    def _has_said(self, code: str) -> bool:
        """What it found, and that this is over."""
        return super()._has_said(code) and any(events(self.lines(code), "calm"))


class JournalCorrupted(Corrupted):
    """The oldest segment of the journal. If the start does not read it, the scrub does, which begins there."""

    inner = JOURNAL_FOLDER
    says = r'"event": "(?:cut|mended)"'
    patience = 120.0

    def spoiled(self, code: str) -> Path:
        """That segment."""
        return min((self.site.home(code) / self.inner).glob("*.journal"))


class LogCorrupted(Corrupted):
    """The blocks of messages that an ordering server keeps; its validator is not touched. What the server says of it is
    shown, not judged: it is another house's program, and the ledger does not lean on it."""

    part = "server"
    through_all = of_leader = True

    def fail(self) -> None:
        """Kill the server and spoil its files."""
        self._from = {code: size_of(self._log(code)) for code in self.codes}
        super().fail()

    def _log(self, code: str) -> Path:
        return self.site.folder / code / folders.LOG / "server.log"

    def said(self) -> str:
        """What the servers say of their stores."""
        found = []
        for code in self.codes:
            with self._log(code).open("rb") as log:
                log.seek(self._from[code])
                lines = log.read().decode("utf-8", "replace").splitlines()
            found += [line for line in lines if OF_STORES.search(line)][:MOST_SAID]
        return " ".join(found)

    def spoiled(self, code: str) -> Path:
        """The largest file of messages."""
        return max((self.site.folder / code / folders.STORE).rglob("*.blk"), key=size_of)


class ClockOff(Troubled):
    """The clock is off by more than the rule allows, and the load goes through this validator too: none of its batches
    may make a block, all others record why, its votes count, and it says so."""

    says = r'"kind": "batch".*"event": "alarm"'
    through_all = True
    trouble = Trouble(clock_ms=OFF_MS)

    def __init__(self, site: Site, codes: Sequence[str]) -> None:
        super().__init__(site, codes)
        self._until: dict[str, int] = {}

    def come_back(self) -> None:
        """Put it right."""
        self._until = {code: len(self.lines(code)) for code in self.site.buses}
        super().come_back()

    def wrong(self) -> Iterator[str]:
        """What others did with its batches and votes."""
        yield from super().wrong()
        for code in self.codes:
            for other in (one for one in self.site.buses if one not in self.codes):
                during = list(blocks(self.lines(other)[: self._until[other]]))
                if not any(code in block["votes"] for block in during):
                    yield f"no vote of {code} counted at {other}"
                if not _named(self.site.home(other) / EVIDENCE_FILE, code):
                    yield f"{other} has no evidence of {code}'s batches"


def _named(path: Path, code: str) -> bool:
    rows = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()] if path.exists() else []
    return any((row["kind"], row["validator"]) == (BAD_BATCH, code) for row in rows)


def spoil(path: Path, seed: int = 1) -> None:
    """Bytes in the middle third of the file become others, some in every page."""
    chance, size = Random(seed), path.stat().st_size
    with path.open("r+b") as file:
        for start in range(size // 3, max(size // 3 + 1, 2 * size // 3), FLIPPED_EVERY):
            at = start + chance.randrange(FLIPPED_EVERY - FLIPPED_BYTES)
            file.seek(min(at, max(0, size - FLIPPED_BYTES)))
            file.write(chance.randbytes(min(FLIPPED_BYTES, size)))
