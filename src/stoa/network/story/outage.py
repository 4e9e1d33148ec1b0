"""The failure in the middle of the story: one validator is killed, and comes back while the others go on."""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from stoa.custody.secret import Secret
from stoa.network.looking import Silence, ask_json
from stoa.network.plan import Member
from stoa.network.running import Running

GLANCE: Final = 0.05


class Outage:
    """Of one member's validator. ``height`` gives that of the others' last final block."""

    def __init__(self, running: Running, member: Member, height: Callable[[], int]) -> None:
        """Kill it."""
        self.member, self._running, self._height = member, running, height
        running.kill(member, ("validator",))
        self.since = height()
        self.until, self.seconds = self.since, 0.0
        self.over = False
        self._returning: threading.Thread | None = None
        self._given_up = threading.Event()

    def come_back(self, passphrase: Secret) -> None:
        """Start it again; the story need not wait."""
        self.until = self._height()
        self._returning = threading.Thread(target=self._return, args=(passphrase,), name="stoa-return", daemon=True)
        self._returning.start()

    def close(self) -> None:
        """Look no more."""
        self._given_up.set()
        if self._returning is not None:
            self._returning.join()

    def figures(self) -> dict[str, Any]:
        """From its last block to its catching up."""
        return {
            "validator": self.member.code, "killed_at": self.since, "returned_at": self.until,
            "blocks_without_it": self.until - self.since, "caught_up_s": round(self.seconds, 2), "caught_up": self.over,
        }  # fmt: skip

    def _return(self, passphrase: Secret) -> None:
        since = time.monotonic()
        self._running.up((self.member,), ("validator",), passphrase)
        while not self._given_up.wait(GLANCE):
            if height_of(self.member) >= self.until:
                self.seconds, self.over = time.monotonic() - since, True
                return


def standing_of(member: Member) -> dict[str, Any]:
    """What a member's validator says of itself when it is ready; else nothing."""
    try:
        told = ask_json(member.port, "/health/ready")
    except Silence:
        return {}
    return told if "height" in told else {}


def height_of(member: Member) -> int:
    """The height that a member's validator is at; -1 unless it is ready."""
    return int(standing_of(member).get("height", -1))
