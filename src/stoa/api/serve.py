"""The server: Litestar on granian inside this process, so that the node's threads and the door share one life.

``Door`` runs in a thread of its own and is stopped from outside; ``serve`` holds the calling thread until SIGINT or
SIGTERM. Binds 127.0.0.1 and nothing else.
"""

import asyncio
import signal
import socket
import threading
import time
from types import TracebackType
from typing import Final, Self

from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar

HOST: Final = "127.0.0.1"
BACKLOG: Final = 1_024  # connections that wait to be taken
START_SECONDS: Final = 10.0
STOP_SECONDS: Final = 5.0


class CannotListen(OSError):
    """The port is taken, or the server did not come up in time."""


class Door:
    """An open door of the house. Use as a context, or ``start`` and ``stop`` it."""

    def __init__(self, app: Litestar, port: int) -> None:
        self._app, self.port = app, port
        self._loop = asyncio.new_event_loop()
        self._server: Server | None = None
        self._thread = threading.Thread(target=self._run, name="stoa-door", daemon=True)

    @property
    def url(self) -> str:
        """Where programs and browsers find it."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Listen. Raises CannotListen."""
        if _is_open(self.port):
            raise CannotListen(f"port {self.port} of {HOST} is taken")
        self._thread.start()
        until = time.monotonic() + START_SECONDS
        while not _is_open(self.port):
            if time.monotonic() > until or not self._thread.is_alive():
                raise CannotListen(f"the server did not come up on port {self.port} of {HOST}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Take no more requests, let those at hand end, and return. Who follows the feed is let go first."""
        self._app.state.bell.close()
        if self._thread.is_alive() and self._server is not None:
            self._loop.call_soon_threadsafe(self._server.stop)
            self._thread.join(STOP_SECONDS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = Server(
            self._app,
            address=HOST,
            port=self.port,
            interface=Interfaces.ASGI,
            backlog=BACKLOG,
            websockets=False,
            log_enabled=False,
        )
        try:
            self._loop.run_until_complete(self._server.serve())
        finally:
            self._loop.close()


def serve(app: Litestar, port: int) -> None:
    """Hold this thread, the main one, until SIGINT or SIGTERM. Raises CannotListen."""
    asked = threading.Event()
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Door(app, port):
            while not asked.wait(1.0):
                pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((HOST, port)) == 0
