"""One program of a member as a process: started once, found again by its pid file, signalled, ended.

Promises: a process is signalled only while it is the very one that was started here: its pid, its time of start and its
command must all agree with the pid file, so that a stale file never harms a stranger. Linux only (``/proc``).
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

from stoa.custody import durable
from stoa.network import folders

STOP_SECONDS: Final = 30.0  # a validator ends the block at hand first
PAUSE_SECONDS: Final = 2.0  # for a pause to come about: each of its threads stops by itself
GLANCE: Final = 0.02
MAX_LOG_BYTES: Final = 16 * 1024 * 1024  # at the next start a longer one is put aside, in place of the one before
TAIL_BYTES: Final = 4_096

State = Literal["running", "paused", "stopped"]
_children: Final[list["subprocess.Popen[bytes]"]] = []  # started by this very process: they must be reaped


class Mark(msgspec.Struct, frozen=True):
    """What a pid file says. ``started``: in ticks since the machine's start, as the system counts them."""

    pid: int
    started: int
    command: list[str]


class Process:
    """A program of a member, whether it runs or not."""

    def __init__(self, folder: Path, part: str, prefix: list[str], command: list[str]) -> None:
        """``prefix`` is what the command is run through; it must replace itself by the command."""
        self._folder, self._prefix, self._command = folder, prefix, command
        self._mark = folder / folders.RUN / f"{part}.pid"
        self.log = folder / folders.LOG / f"{part}.log"

    @property
    def pid(self) -> int:
        """Its number, or 0 if it does not run."""
        return mark.pid if (mark := self._read()) and _state_of(mark) != "stopped" else 0

    @property
    def state(self) -> State:
        """How it is. A stale pid file means stopped."""
        return _state_of(mark) if (mark := self._read()) else "stopped"

    def start(self, environment: Mapping[str, str]) -> bool:
        """Start it in its folder; False if it runs already."""
        for inner in (self._mark.parent, self.log.parent):
            durable.private_directory(inner)
        with durable.alone(self._mark):
            if self.state != "stopped":
                return False
            if self.log.is_file() and self.log.stat().st_size > MAX_LOG_BYTES:
                self.log.replace(self.log.with_suffix(".before"))
            with self.log.open("ab") as log:
                child = subprocess.Popen(
                    [*self._prefix, *self._command],
                    cwd=self._folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True,
                )  # fmt: skip
            _children.append(child)
            mark = Mark(child.pid, _started(child.pid), self._command)
            durable.write(self._mark, msgspec.json.encode(mark))
        return True

    def signal(self, number: signal.Signals) -> bool:
        """Send it a signal; False if it does not run. A pause, or its end, has come about when this returns."""
        pid = self.pid
        if pid:
            os.kill(pid, number)
            before = {signal.SIGSTOP: "running", signal.SIGCONT: "paused"}.get(number)
            until = time.monotonic() + PAUSE_SECONDS
            while self.state == before and time.monotonic() < until:
                time.sleep(GLANCE)
        return bool(pid)

    def ask_to_end(self) -> bool:
        """Ask it to end, also a paused one; False if it does not run."""
        asked = self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        return asked

    def await_end(self, patience: float = STOP_SECONDS) -> None:
        """Wait until it has ended. After so many seconds it is killed."""
        if not self._ends(patience):
            self.kill()
        self._mark.unlink(missing_ok=True)

    def kill(self) -> bool:
        """End it at once, as a crash would; False if it did not run."""
        found = self.signal(signal.SIGKILL)
        return found and self._ends(STOP_SECONDS)

    def tail(self) -> str:
        """The end of its log, for a message about what went wrong."""
        if not self.log.is_file():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - TAIL_BYTES))
            lines = log.read().decode("utf-8", "replace").strip().splitlines()
        return "\n".join(lines[-5:])

    def _ends(self, patience: float) -> bool:
        until = time.monotonic() + patience
        while self.state != "stopped":
            if time.monotonic() > until:
                return False
            time.sleep(GLANCE)
        return True

    def _read(self) -> Mark | None:
        try:
            return msgspec.json.decode(self._mark.read_bytes(), type=Mark)
        except (FileNotFoundError, msgspec.DecodeError):
            return None


def _state_of(mark: Mark) -> State:
    for child in _children:
        child.poll()
    try:
        letter, started = _stat(mark.pid)
        command = Path(f"/proc/{mark.pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except (OSError, ValueError):
        return "stopped"
    if letter in "ZX" or started != mark.started or not _same(command, mark.command):
        return "stopped"
    return "paused" if letter in "Tt" else "running"


def _same(found: list[bytes], command: list[str]) -> bool:
    """Whether the process runs this command, or is just about to (through its prefix)."""
    wanted = [os.fsencode(word) for word in command]
    return found[-len(wanted) :] == wanted


def _started(pid: int) -> int:
    return _stat(pid)[1]


def _stat(pid: int) -> tuple[str, int]:
    """The letter of the process's state, and its time of start (fields 3 and 22 of proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return fields[0], int(fields[19])
