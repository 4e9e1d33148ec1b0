"""Keeping: in the background, bodies of old blocks that others keep are dropped, and those that are this one's to keep
and are missing are fetched.

Owns the pace, and the care. Who becomes a keeper, because members or the number of keepers changed, fetches. A range is
dropped only when each of its keepers has just said, by the very same terms, that it has all of it and means to keep it,
and has shown the last block. Who asks is leaving and says no himself from then on, so two never let go for each
other's sake: of those who dropped, the last had it from one who has it. Does not own: who keeps what (``keepers``), or
the files.
"""

import threading
from collections.abc import Callable
from itertools import islice
from typing import Final

from stoa.journal import Damaged, Dropping, Journal, NotNext, dropped, restore
from stoa.journal.flaws import block_flaws
from stoa.kernel.codec import Malformed, encode
from stoa.node import keepers
from stoa.node.keepers import Terms, ranked
from stoa.node.log import LOG
from stoa.node.others import ASK_SECONDS, Others
from stoa.peers.promise import Peers, Silent
from stoa.wire.question import KeptWanted, read_body_kept

RECENT_BLOCKS: Final = 10_000  # the newest, whose bodies everybody keeps
PASS_SECONDS: Final = 60.0  # from one look at what is kept to the next
STEP_BYTES: Final = 1024 * 1024  # written anew at once
REST_SECONDS: Final = 0.05  # between two steps
MAX_RANGES: Final = 64  # confirmed in one pass
MAX_RESTORED: Final = 32  # blocks put back at once


class Keeping:
    """Of one journal."""

    def __init__(
        self, me: str, journal: Journal, peers: Peers | None, others: Others, terms: Callable[[], Terms]
    ) -> None:
        """``terms`` gives those after the last final block."""
        self._me, self._journal, self._peers, self._others, self._terms = me, journal, peers, others, terms
        self._lock = threading.Lock()
        self._leaving: set[int] = set()  # ranges about to be dropped
        self._lacking: set[int] = set()  # ranges of which a body is missing here
        self.dropped = 0
        self._look()

    def run(self, stopping: threading.Event) -> None:
        """Until the node stops. Raises DiskFull, Fatal."""
        while self._peers is not None and not stopping.wait(PASS_SECONDS):
            terms = self._terms()
            try:
                self._fetch(terms, stopping)
                self._look()
                if self._me in terms.names and terms.replicas < len(terms.names):
                    self._drop(terms, stopping)
            except Damaged as damaged:
                LOG.warning("keeping", why=str(damaged))  # the scrub mends it; then again
            self._look()

    def keeps(self, height: int, terms: bytes) -> bool:
        """Whether the height's range is whole here and is to stay, by terms of this hash. On any thread."""
        mine, ordinal = self._terms(), height // keepers.RANGE_BLOCKS
        if terms != mine.hash() or self._me not in mine.keepers(height):
            return False
        with self._lock:
            return ordinal not in self._leaving and ordinal not in self._lacking

    def _look(self) -> None:
        """What is here, now that nothing is being dropped."""
        missing = dropped(self._journal)
        with self._lock:
            self.dropped, self._leaving = len(missing), set()
            self._lacking = {one // keepers.RANGE_BLOCKS for one in missing}

    def _fetch(self, terms: Terms, stopping: threading.Event) -> None:
        missing = (one for one in dropped(self._journal) if self._me in terms.keepers(one))
        while (heights := list(islice(missing, MAX_RESTORED))) and not stopping.is_set():
            found = [kept[0] for one in heights if (kept := self._others.block(one, ranked(one, terms.names)))]
            try:
                restore(self._journal, found)
            except NotNext as why:
                LOG.error("keeping", why=str(why))
            stopping.wait(REST_SECONDS)

    def _drop(self, terms: Terms, stopping: threading.Event) -> None:
        size = keepers.RANGE_BLOCKS
        last = (self._journal.final - RECENT_BLOCKS) // size  # ranges below this one are old
        theirs = [one for one in range(last) if self._me not in terms.keepers(one * size)]
        begun = self._lacking & set(theirs)
        held = [one for one in theirs if one not in begun][:MAX_RANGES]
        with self._lock:  # before anybody is asked
            self._leaving = {*held, *begun}
        let_go = {one for one in held if self._confirmed(one, terms)}
        with self._lock:
            self._leaving = let_go | begun
        if not let_go:
            return
        dropping = Dropping(self._journal, lambda height: height // size not in let_go | begun, last * size)
        while dropping.step(STEP_BYTES) and not stopping.wait(REST_SECONDS):
            pass
        if dropping.dropped:
            LOG.info("dropped", bodies=dropping.dropped)

    def _confirmed(self, ordinal: int, terms: Terms) -> bool:
        """Whether each of its keepers says that it keeps the range, and shows its last block."""
        height = (ordinal + 1) * keepers.RANGE_BLOCKS - 1
        question = encode(KeptWanted(height, terms.hash()))
        return all(self._has(name, height, question) for name in terms.keepers(height))

    def _has(self, name: str, height: int, question: bytes) -> bool:
        assert self._peers is not None
        try:
            block = read_body_kept(self._peers.ask(name, question, ASK_SECONDS)).block
        except (Silent, Malformed):
            return False
        if block is None or block.header.hash() != self._journal.header(height).hash():
            return False
        return next(block_flaws(None, block), None) is None
