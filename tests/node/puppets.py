"""Other validators as a test wants them: they answer each standing of the one real node with their own.

They hold real voting keys, so certificates are real; they execute nothing and vote for what the node votes for. A test
may let some be silent, tell a height of their own, or vote for another block as well.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from stoa.bus.bus import Counts
from stoa.kernel.codec import encode
from stoa.node.links import Links
from stoa.ordering.embedded import EmbeddedEngine
from stoa.peers.promise import Answer, Heard, Silent
from stoa.wire.status import Status, read_word
from stoa.wire.vote import sign_vote

COUNTS = Counts(True, "tls://127.0.0.1:1", "", 3, 10, 20, 1, 0, 0)
ELSE = b"\x01" * 32  # a block hash that nobody's block has
VERSION = "9.9.9"  # of their program, as they say


class Puppets:
    """Satisfies ``Peers``."""

    def __init__(self, chain: str, keys: Mapping[str, bytes]) -> None:
        self._chain, self._keys = chain, keys
        self._heard: Heard | None = None
        self.silent: set[str] = set()
        self.liars: set[str] = set()

    def links(self, clock: Callable[[], int]) -> Callable[[str], Links]:
        """A log in memory, these peers, and a bus's counts."""
        return lambda _: Links(lambda *_: EmbeddedEngine(clock), self, lambda: COUNTS)

    def listen(self, heard: Heard, answer: Answer) -> None:
        """Begin to answer what the node tells."""
        self._heard = heard

    def tell(self, message: bytes) -> None:
        """The node told where it stands."""
        word = read_word(message)
        if isinstance(word, Status) and self._heard is not None:
            for name, key in self._keys.items():
                if name not in self.silent:
                    for status in self._answers(word, name, key):
                        self._heard(name, encode(status))

    def _answers(self, told: Status, name: str, key: bytes) -> list[Status]:
        hashes = [told.vote.block_hash if told.vote else None, *([ELSE] if name in self.liars and told.vote else [])]
        return [
            Status(
                self._chain, name, told.epoch, told.height, told.block_hash,
                sign_vote(self._chain, told.height + 1, one, name, key, told.epoch) if one else None,
                VERSION,
            )
            for one in hashes
        ]  # fmt: skip

    def say(self, name: str, raw: bytes) -> None:
        """One of them tells the node anything at all."""
        assert self._heard is not None
        self._heard(name, raw)

    @contextmanager
    def without(self, *names: str) -> Iterator[None]:
        """Let these be silent for a while."""
        self.silent |= set(names)
        yield
        self.silent -= set(names)

    def ask(self, peer: str, question: bytes, timeout: float) -> bytes:
        """They answer no question."""
        raise Silent(peer)

    def close(self) -> None:
        """Nothing is open."""
