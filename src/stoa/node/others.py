"""The others as keepers: one block or checkpoint asked of whoever has it, and believed only when it proves itself.

Owns whom to ask in which order and what is checked of the answer. Never forwards: who is asked answers from its own
journal alone, so questions end. Does not own: blocks that are fetched to follow (``voice``), or what is done with them.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Final

from stoa.journal.flaws import block_flaws
from stoa.kernel.codec import Malformed, encode
from stoa.ledger.governance.members import members, members_at
from stoa.ledger.state import State
from stoa.peers.promise import Peers, Silent
from stoa.wire.block import Block
from stoa.wire.question import BodyWanted, CheckpointWanted, read_body_kept, read_checkpoint_kept
from stoa.wire.vote import Certificate, Checkpoint, certificate_valid, checkpoint_valid

ASK_SECONDS: Final = 4.0  # for each of them to answer

Reader = Callable[[], AbstractContextManager[State]]


class Others:
    """The other validators of one ledger. Safe for threads; each call may take ``ASK_SECONDS`` for each of them."""

    def __init__(self, me: str, chain: str, peers: Peers | None, reader: Reader) -> None:
        self._me, self._chain, self._peers, self._reader = me, chain, peers, reader

    @property
    def any(self) -> bool:
        """Whether there is anybody to ask."""
        return self._peers is not None

    def block(self, height: int, first: Iterable[str] = ()) -> tuple[Block, Certificate] | None:
        """The final block of the height with its certificate by the members of that height, and a body that its header
        commits to; ``first`` are asked first. None when nobody has it."""
        with self._reader() as view:
            who = members_at(view, height)
        for raw in self._answers(encode(BodyWanted(height)), first):
            try:
                block, certificate = (kept := read_body_kept(raw)).block, kept.certificate
            except Malformed:
                continue
            if block is None or certificate is None:
                continue
            header = block.header
            if (header.chain, header.height, header.hash()) != (self._chain, height, certificate.block_hash):
                continue
            good = certificate.height == height and certificate_valid(self._chain, certificate, who.keys, who.quorum)
            if good and next(block_flaws(None, block), None) is None:
                return block, certificate
        return None

    def checkpoint(self, height: int) -> Checkpoint | None:
        """The newest checkpoint at or below the height that a quorum of the members of its height signed."""
        for raw in self._answers(encode(CheckpointWanted(height)), ()):
            try:
                found = read_checkpoint_kept(raw).checkpoint
            except Malformed:
                continue
            if found is None or found.height > height:
                continue
            with self._reader() as view:
                who = members_at(view, found.height)
            if checkpoint_valid(self._chain, found, who.keys, who.quorum):
                return found
        return None

    def _answers(self, question: bytes, first: Iterable[str]) -> Iterator[bytes]:
        """What each of them says, the next asked only if the one before was no use."""
        if self._peers is None:
            return
        with self._reader() as view:
            names = [name for name in dict.fromkeys((*first, *sorted(members(view).keys))) if name != self._me]
        for name in names:
            try:
                yield self._peers.ask(name, question, ASK_SECONDS)
            except Silent:
                continue
