"""The ports of an ordering server, as its own configuration says, looked at before it starts.

The server itself would end, with the cause in the last of several lines of its log. Does not own: which ports a member
has (``plan``), nor what is written of them (``server_conf``).
"""

import re
import socket
import time
from collections.abc import Iterator
from errno import EADDRINUSE
from pathlib import Path
from typing import Final, NamedTuple

PATIENCE: Final = 1.0  # seconds: who was killed just now lets go of its ports a moment later
GLANCE: Final = 0.05
_LISTENS: Final = re.compile(r'^ *(listen|http): "([0-9.]+):([0-9]{1,5})"')


class Port(NamedTuple):
    """Where a server will listen, and the line that says so."""

    line: int
    host: str
    number: int

    @property
    def taken(self) -> bool:
        """Whether somebody else listens there."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
            try:
                probe.bind((self.host, self.number))
            except OSError as error:
                return error.errno == EADDRINUSE
        return False


def taken_port(conf: Path) -> str:
    """What stands in the way of the server with this configuration: a port that is taken; empty if none is."""
    until = time.monotonic() + PATIENCE
    while (found := next((port for port in _ports(conf) if port.taken), None)) and time.monotonic() < until:
        time.sleep(GLANCE)
    return f"{conf}:{found.line}: port {found.number} of {found.host} is taken" if found else ""


def _ports(conf: Path) -> Iterator[Port]:
    if not conf.is_file():
        return  # the server itself says so
    for number, line in enumerate(conf.read_text(encoding="utf-8").splitlines(), 1):
        if found := _LISTENS.match(line):
            yield Port(number, found.group(2), int(found.group(3)))
