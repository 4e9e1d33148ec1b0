"""The thread that carries final blocks from the journal into the views, from wherever the views stand.

Promises: views are brought up from the journal on start and follow it; after each step everyone who waits is told.
A fault stops the projector and not the node; it is kept as ``failure`` and makes the door not ready.
"""

import threading
from collections.abc import Callable
from itertools import islice
from typing import Final

from stoa.journal.journal import Journal
from stoa.readmodel.project import found, project
from stoa.readmodel.views import Views

BLOCKS_PER_STEP: Final = 200  # blocks entered in one SQL transaction while catching up
IDLE_SECONDS: Final = 0.2  # how long a stop may go unnoticed
PAUSE_SECONDS: Final = 0.01


class Projector:
    """Feeds one database of views from one journal. ``start`` it, ``close`` it before either of them."""

    def __init__(self, journal: Journal, views: Views) -> None:
        self._journal, self._views = journal, views
        self._moved = threading.Condition()
        self._stopping = threading.Event()
        self._listeners: list[Callable[[int], None]] = []
        self._thread = threading.Thread(target=self._guarded, name="stoa-views", daemon=True)
        found(views, journal.genesis, journal.header(0))
        self.height = views.height
        self.failure = ""

    def start(self) -> None:
        """Begin to catch up, and follow."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the step at hand."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def listen(self, listener: Callable[[int], None]) -> None:
        """Call this with the height after every step, on the projector's own thread: be brief."""
        self._listeners.append(listener)

    def reached(self, height: int, timeout: float) -> bool:
        """Wait until the views show the block; False after ``timeout`` seconds, or when the projector has stopped."""
        with self._moved:
            self._moved.wait_for(lambda: self.height >= height or self._stopping.is_set(), timeout)
            return self.height >= height

    @property
    def lag(self) -> int:
        """How many final blocks the views do not show yet."""
        return max(0, self._journal.final - self.height)

    def _guarded(self) -> None:
        try:
            self._follow()
        except Exception as error:  # noqa: BLE001 - whatever it was, views stand still and must say so
            self.failure = f"{type(error).__name__}: {error}"
            self._stopping.set()
            self._announce()

    def _follow(self) -> None:
        while not self._stopping.is_set():
            if self._journal.wait(self.height + 1, IDLE_SECONDS):
                blocks = self._journal.replay(self.height + 1, self._journal.final)
                step = list(islice(blocks, BLOCKS_PER_STEP))
                project(self._views, step)
                self.height = step[-1][0].header.height
                self._announce()
            else:
                self._stopping.wait(PAUSE_SECONDS)  # a closed journal answers at once: do not spin on it

    def _announce(self) -> None:
        with self._moved:
            self._moved.notify_all()
        for listener in self._listeners:
            listener(self.height)
