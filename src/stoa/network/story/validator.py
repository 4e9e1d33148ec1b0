"""A validator of the story in a process of its own: ``stoa up``, but for the clock.

python -c "from stoa.network.story.validator import main; main()" FOLDER CLOCK
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from stoa.api.app import create_app
from stoa.api.opening import OpenHouse
from stoa.api.serve import serve
from stoa.custody.secret import Secret
from stoa.demo.clock import SharedClock
from stoa.node.collector import rest_collector
from stoa.node.config import PASSPHRASE_VARIABLE
from stoa.node.log import log_to_stderr
from stoa.web.handlers import handlers


def command(clock: Path) -> Callable[[Path], list[str]]:
    """How the validator of a folder is started, by this clock."""
    entry = "from stoa.network.story.validator import main; main()"
    return lambda folder: [sys.executable, "-c", entry, str(folder.resolve()), str(clock.resolve())]


def main() -> None:
    """Run until SIGTERM."""
    folder, clock = Path(sys.argv[1]), SharedClock(Path(sys.argv[2]))
    log_to_stderr()
    rest_collector()
    passphrase = Secret(os.environ.pop(PASSPHRASE_VARIABLE))
    with OpenHouse(folder, passphrase, clock, time_of=clock.story_time) as house:
        serve(create_app(house.services, handlers()), house.config.port)
