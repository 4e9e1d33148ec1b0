"""Keeping: in the background, bodies of old blocks that others keep are dropped, and those that are this one's to keep
and are missing are fetched.

Owns the pace, and the care: a range is dropped only when every one of its keepers has just shown its last block; who
becomes a keeper, because members changed, fetches. Does not own: who keeps what (``keepers``), or the files.
"""

import threading
from collections.abc import Callable
from itertools import islice
from typing import Final

from stoa.journal import Damaged, Dropping, Journal, NotNext, dropped, restore
from stoa.kernel.codec import Malformed, encode
from stoa.node import keepers
from stoa.node.keepers import ranked
from stoa.node.log import LOG
from stoa.node.others import ASK_SECONDS, Others
from stoa.peers.promise import Peers, Silent
from stoa.wire.question import BodyWanted, read_body_kept

RECENT_BLOCKS: Final = 10_000  # the newest, whose bodies everybody keeps
PASS_SECONDS: Final = 60.0  # from one look at what is kept to the next
STEP_BYTES: Final = 1024 * 1024  # written anew at once
REST_SECONDS: Final = 0.05  # between two steps
MAX_RANGES: Final = 64  # confirmed in one pass
MAX_RESTORED: Final = 32  # blocks put back at once


class Keeping:
    """Of one journal. ``replicas``: how many validators keep an old body; 0 is all."""

    def __init__(
        self,
        me: str,
        journal: Journal,
        peers: Peers | None,
        others: Others,
        replicas: int,
        names: Callable[[], list[str]],
    ) -> None:
        """``names`` gives the members as they are."""
        self._me, self._journal, self._peers, self._others = me, journal, peers, others
        self._replicas, self._names = replicas, names
        self.dropped = len(dropped(journal))

    def run(self, stopping: threading.Event) -> None:
        """Until the node stops. Raises DiskFull, Fatal."""
        while self._peers is not None and not stopping.wait(PASS_SECONDS):
            names = self._names()
            replicas = self._replicas or len(names)
            try:
                self._fetch(names, replicas, stopping)
                if self._me in names and replicas < len(names):
                    self._drop(names, replicas, stopping)
            except Damaged as damaged:
                LOG.warning("keeping", why=str(damaged))  # the scrub mends it; then again
            self.dropped = len(dropped(self._journal))

    def _mine(self, height: int, names: list[str], replicas: int) -> bool:
        return self._me in ranked(height, names)[:replicas]

    def _fetch(self, names: list[str], replicas: int, stopping: threading.Event) -> None:
        missing = (one for one in dropped(self._journal) if self._mine(one, names, replicas))
        while (heights := list(islice(missing, MAX_RESTORED))) and not stopping.is_set():
            found = [kept[0] for one in heights if (kept := self._others.block(one, ranked(one, names)))]
            try:
                restore(self._journal, found)
            except NotNext as why:
                LOG.error("keeping", why=str(why))
            stopping.wait(REST_SECONDS)

    def _drop(self, names: list[str], replicas: int, stopping: threading.Event) -> None:
        size = keepers.RANGE_BLOCKS
        last = (self._journal.final - RECENT_BLOCKS) // size  # ranges below this one are old
        theirs = [one for one in range(last) if not self._mine(one * size, names, replicas)]
        begun = {one // size for one in dropped(self._journal)} & set(theirs)
        held = [one for one in theirs if one not in begun][:MAX_RANGES]
        let_go = {one for one in held if self._confirmed(one, ranked(one * size, names)[:replicas])}
        if not let_go:
            return
        dropping = Dropping(self._journal, lambda height: height // size not in let_go | begun, last * size)
        while dropping.step(STEP_BYTES) and not stopping.wait(REST_SECONDS):
            pass
        if dropping.dropped:
            LOG.info("dropped", bodies=dropping.dropped)

    def _confirmed(self, ordinal: int, who: list[str]) -> bool:
        """Whether each of its keepers has the range's last block; its own word, and the block's own hash."""
        height = (ordinal + 1) * keepers.RANGE_BLOCKS - 1
        return all(self._has(name, height) for name in who)

    def _has(self, name: str, height: int) -> bool:
        assert self._peers is not None
        try:
            block = read_body_kept(self._peers.ask(name, encode(BodyWanted(height)), ASK_SECONDS)).block
        except (Silent, Malformed):
            return False
        return block is not None and block.header.hash() == self._journal.header(height).hash()
