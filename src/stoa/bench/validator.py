"""One validator of ``stoa bench network``, as a process of its own: the house's node and its bulk door, nothing else.

Run as ``python -m stoa.bench.validator FOLDER FSYNC_DELAY_MS``, the passphrase in the environment, until SIGTERM.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from stoa.api.opening import OpenNode
from stoa.bench.slow_disk import SlowDisk
from stoa.custody.secret import Secret
from stoa.journal.disk import REAL_DISK
from stoa.node.config import PASSPHRASE_VARIABLE
from stoa.node.log import log_to_stderr


def main() -> None:
    """Run until told to stop."""
    folder, delay_ms = Path(sys.argv[1]), float(sys.argv[2])
    log_to_stderr()
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    disk = SlowDisk(delay_ms / 1_000) if delay_ms else REAL_DISK
    with OpenNode(folder, Secret(os.environ[PASSPHRASE_VARIABLE]), disk=disk) as house:
        while not asked.wait(1.0) and not house.node.failure:
            pass
        if house.node.failure:
            raise SystemExit(house.node.failure)


if __name__ == "__main__":
    main()
