"""How each fault of a drill is made, and what must be seen of it besides the measures that all drills share.

Owns what every fault has, and those of processes: killed, standing still. Those of disks, files and clocks are in
``machine_faults.py``. Promises: whoever failed runs again after ``come_back``. Does not own: when that happens and what
it did to the load (``drills.py``).
"""

import re
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from stoa.bench.site import Site

NOTED: Final = re.compile(r'"event": "(?:stopped|alarm|cut|rebuilt|healing|mended)"')
KEPT_CHARACTERS: Final = 300  # of what was said
GLANCE: Final = 0.5

Part = Literal["validator", "server", "host"]


class Fault:
    """What fails of these institutions. ``says`` is what the log of each must have a line of, empty: it need not."""

    says = ""
    through_all = False  # whether the load goes through those that fail, too
    of_leader = False  # whether it befalls the one whose server leads the ordering log
    patience = 0.0  # seconds after all are level until it must have been said

    def __init__(self, site: Site, codes: Sequence[str]) -> None:
        self.site, self.codes = site, codes
        self._read: dict[str, int] = {}

    def prepare(self) -> None:
        """Before the load."""

    def fail(self) -> None:
        """Make it so."""
        self._read = {code: size_of(self.site.log(code)) for code in self.site.buses}

    def come_back(self) -> None:
        """End it."""

    def lines(self, code: str) -> list[str]:
        """What the validator has logged since the fault."""
        with self.site.log(code).open("rb") as log:
            log.seek(self._read[code])
            return log.read().decode("utf-8", "replace").splitlines()

    def said(self) -> str:
        """The telling lines of those that failed, the first of each."""
        wanted = re.compile(self.says) if self.says else NOTED
        found = [next((line for line in self.lines(code) if wanted.search(line)), "") for code in self.codes]
        return " ".join(line[:KEPT_CHARACTERS] for line in found if line)

    def wrong(self) -> Iterator[str]:
        """What is not as it must be, once all are level again."""
        until = time.monotonic() + self.patience
        for code in self.codes:
            while not (said := self._has_said(code)) and time.monotonic() < until:
                time.sleep(GLANCE)
            if not said:
                yield f"{code} did not say so"

    def _has_said(self, code: str) -> bool:
        return not self.says or any(re.search(self.says, line) for line in self.lines(code))


class Down(Fault):
    """Processes are killed; a host is a validator and its ordering server."""

    part: Part = "validator"

    def fail(self) -> None:
        """Kill them."""
        super().fail()
        for code in self.codes:
            if self.part != "server":
                self.site.kill_validator(code)
            if self.part != "validator":
                self.site.kill_server(code)

    def come_back(self) -> None:
        """Start them."""
        for code in self.codes:
            if self.part != "validator":
                self.site.start_server(code)
            if self.part != "server":
                self.site.start_validator(code)


class ServerDown(Down):
    """The ordering server alone."""

    part = "server"
    through_all = of_leader = True


class HostDown(Down):
    """Both programs of a member."""

    part = "host"


class Paused(Fault):
    """Validators stand still."""

    def fail(self) -> None:
        """Let them stand."""
        super().fail()
        for code in self.codes:
            self.site.signal(code, signal.SIGSTOP)

    def come_back(self) -> None:
        """Let them go on."""
        for code in self.codes:
            self.site.signal(code, signal.SIGCONT)


def blocks(lines: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The lines that tell final blocks."""
    return events(lines, "block")


def events(lines: Sequence[str], name: str) -> Iterator[dict[str, Any]]:
    """The lines that tell an event of this name."""
    for line in lines:
        if line.startswith("{") and f'"event": "{name}"' in line:
            yield msgspec.json.decode(line)


def size_of(path: Path) -> int:
    """Bytes of a file; 0 if it is not there."""
    return path.stat().st_size if path.exists() else 0
