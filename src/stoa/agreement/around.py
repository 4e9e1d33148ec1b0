"""Around: what the peers say of themselves, and whom to ask next. None of it is proof: a peer that claims and cannot
show is asked after all the others."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from stoa.wire.status import Status

FETCH_MS: Final = 5_000  # how long a peer may take to answer before another is asked


class Around:
    """The peers of one validator."""

    def __init__(self) -> None:
        self.peers: dict[str, Status] = {}
        self._failed: Counter[str] = Counter()  # by peer: answers that were none, or could not be used
        self._asked: tuple[str, int] | None = None  # for blocks, and since when
        self._openings = 0  # asked for; who is asked goes round

    def keep(self, keys: Mapping[str, bytes]) -> None:
        """These are the members: forget the others."""
        self.peers = {name: peer for name, peer in self.peers.items() if name in keys}

    def lead(self, height: int) -> int:
        """How many blocks the peers claim to be ahead, at most."""
        return max((peer.height for peer in self.peers.values()), default=0) - height

    def whom(self, height: int, now: int) -> str:
        """The peer to ask for the block behind this one, empty if one is being asked or none claims to have it."""
        ahead = sorted(name for name, peer in self.peers.items() if peer.height > height)
        if self._asked is not None or not ahead:
            return ""
        peer = min(ahead, key=lambda name: self._failed[name])
        self._asked = peer, now
        return peer

    def answered(self, peer: str) -> None:
        """The peer answered, or will not. Where another answers in place of who was asked, that one could not."""
        if self._asked is not None and self._asked[0] != peer:
            self._failed[self._asked[0]] += 1
        self._asked = None

    def failed(self, peer: str) -> None:
        """The peer gave no answer, or a useless one."""
        self.answered(peer)
        self._failed[peer] += 1

    def late(self, now: int) -> None:
        """Wait no longer for a peer that does not answer."""
        if self._asked is not None and now - self._asked[1] >= FETCH_MS:
            self.failed(self._asked[0])

    def in_later_epoch(self, epoch: int) -> str:
        """A peer that claims to be in a later epoch, another one at each call; empty if there is none."""
        later = sorted(name for name, peer in self.peers.items() if peer.epoch > epoch)
        self._openings += 1
        return later[self._openings % len(later)] if later else ""
