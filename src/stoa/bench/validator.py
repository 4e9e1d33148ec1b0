"""One validator of ``stoa bench``, as a process of its own: the house's node and its bulk door, nothing else.

Run as ``python -m stoa.bench.validator FOLDER FSYNC_DELAY_MS``, the passphrase in the environment, until SIGTERM. What
is wrong with its disk and clock it reads from a file (``trouble.py``). On SIGUSR1, and at its end, it writes where its
time went so far into its folder (``cost.SPENT_FILE``), and at its end into its log too.
"""

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from stoa.api.opening import OpenNode
from stoa.bench.cost import SPENT_FILE, Spent
from stoa.bench.trouble import Trouble, TroubledDisk, Troubles
from stoa.custody.secret import Secret
from stoa.node.config import PASSPHRASE_VARIABLE
from stoa.node.log import log_to_stderr
from stoa.node.node import Node

# Threads by the beginning of their names, the longest first: the stage that their processor time counts for.
THREADS: Final = (
    ("bus submit.", "gate"), ("bus ", "peers"), ("bus", "bus"), ("stoa-batches", "batches"), ("stoa-log", "log"),
)  # fmt: skip
BLOCKS: Final = "stoa-blocks"  # its time is that of the stages of a block


def spent(node: Node) -> Spent:
    """Seconds by stage: of a block by the clock on the wall, of the threads beside it by their processor time."""
    found = node.seconds()
    for stage in (*(stage for _, stage in THREADS), "other"):
        found[stage] = 0.0
    for thread in threading.enumerate():
        if thread.name != BLOCKS and thread.ident is not None:
            stage = next((stage for start, stage in THREADS if thread.name.startswith(start)), "other")
            found[stage] += time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
    return found


def main() -> None:
    """Run until told to stop."""
    folder, delay_ms = Path(sys.argv[1]), float(sys.argv[2])
    log_to_stderr()
    asked, running = threading.Event(), list[Node]()

    def tell(*_: object) -> None:
        for node in running:
            with suppress(OSError):  # a full disk: the node says so itself
                written = folder / f".{SPENT_FILE}"
                written.write_bytes(msgspec.json.encode(spent(node)))
                written.replace(folder / SPENT_FILE)

    signal.signal(signal.SIGUSR1, tell)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    troubles = Troubles(folder, Trouble(sync_ms=delay_ms))
    disk, passphrase = TroubledDisk(troubles), Secret(os.environ[PASSPHRASE_VARIABLE])
    with OpenNode(folder, passphrase, troubles.clock, disk=disk) as house:
        running.append(house.node)
        while not asked.wait(1.0) and not house.node.failure:
            pass
        tell()
        sys.stderr.write(msgspec.json.encode({"spent": spent(house.node)}).decode() + "\n")
        if house.node.failure:
            raise SystemExit(house.node.failure)


if __name__ == "__main__":
    main()
