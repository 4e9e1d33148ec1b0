"""The bell: threads ring it when a block is final or the views have moved on, and coroutines wait for what may follow.

Nothing is queued for anyone: who is woken looks for himself, at his own pace.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


class Bell:
    """Safe for threads; ``until`` is for coroutines of any loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self.closed = False

    def ring(self) -> None:
        """Wake everyone who waits."""
        with self._lock:
            waiting = list(self._waiting.items())
        for event, loop in waiting:
            with suppress(RuntimeError):  # that loop has ended, and who waited in it too
                loop.call_soon_threadsafe(event.set)

    def close(self) -> None:
        """Nobody waits any longer."""
        self.closed = True
        self.ring()

    async def until(self, ready: Callable[[], T | None], timeout: float) -> T | None:
        """What ``ready`` gives, as soon as it gives something; None after ``timeout`` seconds or at closing time."""
        loop, event = asyncio.get_running_loop(), asyncio.Event()
        deadline = loop.time() + timeout
        with self._lock:
            self._waiting[event] = loop
        try:
            while True:
                event.clear()
                found = ready()
                left = deadline - loop.time()
                if found is not None or left <= 0 or self.closed:
                    return found
                with suppress(TimeoutError):
                    await asyncio.wait_for(event.wait(), left)
        finally:
            with self._lock:
                del self._waiting[event]

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._waiting)
