"""Ports for a network that is gone when its story ends."""

import socket
from contextlib import ExitStack

from stoa.network.plan import HERE, PORT_STEP, PORTS


def in_steps(first: int, members: int) -> list[int]:
    """Each member's first port, from this one on."""
    return [first + PORT_STEP * number for number in range(members)]


def free_runs(count: int) -> list[int]:
    """First ports of runs of ports, one for each member, that nobody listens on just now."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            with socket.socket() as first:
                first.bind((HERE, 0))
                start = int(first.getsockname()[1])
            try:
                for port in range(start, start + PORTS):
                    held.enter_context(socket.socket()).bind((HERE, port))
            except (OSError, OverflowError):
                continue
            found.append(start)
    return found
