"""What a load costs: processor time and memory of processes, bytes on disk, and where each microsecond goes.

Read from ``/proc``, from the files' allocated blocks and from what the benchmark's validators say of themselves
(``validator.py``), before and after. Linux only.
"""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from stoa.network import folders
from stoa.node.node import JOURNAL_FOLDER, STATE_FOLDER

SPENT_FILE: Final = "spent.json"  # in a validator's folder, written on SIGUSR1
SPENT_SECONDS: Final = 5.0  # for a validator to write it
GLANCE: Final = 0.01
BLOCK: Final = 512  # what st_blocks counts in
KEPT: Final = {"journal": JOURNAL_FOLDER, "state": STATE_FOLDER, "log": folders.STORE}  # on the disk of a member

Spent = dict[str, float]  # seconds by stage


class Costs(NamedTuple):
    """For one final transfer: microseconds of processors, bytes of disk. ``stage_us``, ``disk_bytes`` of one node."""

    cpu_us_per_transfer_and_node: float
    cpu_us_servers: float
    cpu_us_load: float
    cpu_us_all: float  # of all validators, all servers and the load together
    stage_us: dict[str, float]
    disk_bytes: dict[str, float]
    rss_mb: dict[str, float]  # of each validator, at the end


class Watch:
    """From its making to ``stop``: the processes, and the folders of the validators that stand up throughout."""

    def __init__(
        self, validators: Mapping[str, int], servers: Mapping[str, int], folder: Path, steady: Sequence[str]
    ) -> None:
        """Processes by their institutions; ``steady``: whose validators do all the work that is measured."""
        self._validators, self._servers, self._folder = dict(validators), dict(servers), folder
        self._steady = list(steady)
        self._before = self._read()

    def stop(self, final: int) -> Costs:
        """The costs so far, shared among so many final transfers."""
        cpu, disk, spent = (
            {name: after[name] - before.get(name, 0.0) for name in after}
            for before, after in zip(self._before, self._read(), strict=True)
        )
        each, nodes = max(1, final), max(1, len(self._steady))
        validators = sum(cpu[f"validator {code}"] for code in self._validators)
        servers = sum(cpu[f"server {code}"] for code in self._servers)
        return Costs(
            cpu_us_per_transfer_and_node=round(validators / each / nodes * 1e6, 1),
            cpu_us_servers=round(servers / each * 1e6, 1),
            cpu_us_load=round(cpu["load"] / each * 1e6, 1),
            cpu_us_all=round((validators + servers + cpu["load"]) / each * 1e6, 1),
            stage_us={stage: round(seconds / each / nodes * 1e6, 1) for stage, seconds in spent.items()},
            disk_bytes={name: round(grown / each / nodes, 1) for name, grown in disk.items()},
            rss_mb={code: round(rss_bytes(pid) / 2**20, 1) for code, pid in self._validators.items()},
        )

    def _read(self) -> tuple[Spent, Spent, Spent]:
        spent = self._spent()
        cpu = {f"validator {code}": _cpu_seconds(pid) for code, pid in self._validators.items()}
        cpu |= {f"server {code}": _cpu_seconds(pid) for code, pid in self._servers.items()}
        disk = {
            name: float(sum(allocated(self._folder / code / inner) for code in self._steady))
            for name, inner in KEPT.items()
        }
        return cpu | {"load": time.process_time()}, disk, spent

    def _spent(self) -> Spent:
        """The sum of what the steady validators say of themselves."""
        files = [self._folder / code / SPENT_FILE for code in self._steady]
        for file, code in zip(files, self._steady, strict=True):
            file.unlink(missing_ok=True)
            os.kill(self._validators[code], signal.SIGUSR1)
        until, total = time.monotonic() + SPENT_SECONDS, Spent()
        for file in files:
            while not file.exists() and time.monotonic() < until:
                time.sleep(GLANCE)
            if file.exists():
                for stage, seconds in msgspec.json.decode(file.read_bytes(), type=Spent).items():
                    total[stage] = total.get(stage, 0.0) + seconds
        return total


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_bytes(pid: int) -> int:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def allocated(folder: Path) -> int:
    """Bytes that the files below a folder take on disk."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # it was deleted meanwhile
                total += os.stat(os.path.join(root, name)).st_blocks * BLOCK
    return total


def machine() -> dict[str, Any]:
    """What this machine is, as far as the figures depend on it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": os.cpu_count() or 1, "memory_bytes": memory}
