"""The auditor: what must hold in every universe after every step, by name. It sees all honest validators at once."""

from stoa.agreement.effects import Evidence
from stoa.wire.block import Block
from stoa.wire.status import Opening, Promise, Status, Word
from stoa.wire.vote import Certificate, Vote, certificate_valid
from tests.agreement.toy import CHAIN, Rules, Toy, batch_of


class Violated(AssertionError):
    """An invariant does not hold. ``name`` says which."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name}: {what}")
        self.name = name


class Auditor:
    """Keeps its own chain and its own notes of who said what."""

    def __init__(self, rules: Rules, liars: tuple[str, ...]) -> None:
        self.liars = liars
        self.states = [Toy.genesis(rules)]
        self._blocks: list[Block] = []
        self.named: dict[str, list[str]] = {}  # by liar: the kinds of evidence against it
        self._batches: dict[tuple[str, int], int] = {}
        self._envelopes: dict[bytes, int] = {}
        self._votes: dict[tuple[str, int, int], bytes] = {}
        self._promised: dict[str, int] = {}
        self._bound: dict[str, dict[tuple[int, int], bytes]] = {}  # votes said or on disk when the promise left

    @property
    def height(self) -> int:
        """Of the highest block that is final anywhere."""
        return len(self.states) - 1

    def final(self, who: str, block: Block, certificate: Certificate) -> None:
        """An honest validator holds the block final."""
        height, block_hash = block.header.height, block.header.hash()
        if height <= self.height:
            if self.states[height].head_hash != block_hash:
                raise Violated("agreement", f"{who} has another final block {height}")
            if self._blocks[height - 1] != block:
                raise Violated("wholeness", f"{who} has block {height} with other bytes")
        else:
            self._extend(who, block, height)
        if certificate.height != height or certificate.block_hash != block_hash:
            raise Violated("certificates", f"{who} has a certificate of something else for block {height}")
        seats = self.states[height - 1].rules.seats()
        if not certificate_valid(CHAIN, certificate, seats.keys, seats.quorum):
            raise Violated("certificates", f"{who} has no valid certificate for block {height}")

    def _extend(self, who: str, block: Block, height: int) -> None:
        if height != self.height + 1:
            raise Violated("agreement", f"{who} has block {height} final, and nobody has the one before")
        made, after = self.states[-1].execute(batch_of(block))
        if made != block:
            raise Violated("execution", f"block {height} at {who} is not what its batch gives")
        self.count(block)
        self._blocks.append(block)
        self.states.append(after)

    def count(self, block: Block) -> None:
        """A new block is final: nothing in it was before."""
        height = block.header.height
        name = block.header.producer, block.header.number
        if name in self._batches:
            raise Violated("once", f"batch {name} is in blocks {self._batches[name]} and {height}")
        for envelope in block.envelopes if name[0] not in self.liars else ():
            if envelope in self._envelopes:
                raise Violated("once", f"{envelope!r} is in blocks {self._envelopes[envelope]} and {height}")
            self._envelopes[envelope] = height
        self._batches[name] = height

    def may_produce(self, who: str) -> bool:
        return who in self.states[-1].rules.members

    def holds(self, envelope: bytes) -> bool:
        """Whether it is in a final block."""
        return envelope in self._envelopes

    def stands(self, who: str, height: int, head: bytes, reported: int) -> None:
        """An honest validator stands here after a start, and reported this height before."""
        if height < reported - 1:
            raise Violated("durability", f"{who} reported block {reported} final and starts behind {height}")
        if height > self.height or self.states[height].head_hash != head:
            raise Violated("durability", f"{who} starts behind another block {height}")

    def said(self, who: str, word: Word, disk: dict[tuple[int, int], bytes]) -> None:
        """A word left an honest validator, on whose disk are these votes, by height and epoch."""
        if isinstance(word, Status):
            if word.vote is not None:
                self._vote(who, word.vote, disk)
        elif isinstance(word, Promise):
            if word.tail is not None:
                self._vote(who, word.tail, disk)
            if word.epoch > self._promised.get(who, 0):
                self._promised[who] = word.epoch
                said = {(height, epoch): cast for (name, height, epoch), cast in self._votes.items() if name == who}
                self._bound[who] = said | disk
        elif not isinstance(word, Opening):
            raise TypeError(word)

    def _vote(self, who: str, vote: Vote, disk: dict[tuple[int, int], bytes]) -> None:
        place = vote.height, vote.epoch
        if vote.validator != who:
            raise Violated("one_vote", f"{who} votes as {vote.validator}")
        if disk.get(place) != vote.block_hash:
            raise Violated("kept_before_sent", f"{who} sent a vote at {place} that is not on its disk")
        before = self._votes.setdefault((who, *place), vote.block_hash)
        if before != vote.block_hash:
            raise Violated("one_vote", f"{who} voted for two blocks at {place}")
        if vote.epoch < self._promised.get(who, 0) and self._bound[who].get(place) != vote.block_hash:
            raise Violated("promise_kept", f"{who} voted at {place} after it had promised {self._promised[who]}")

    def accused(self, by: str, evidence: Evidence) -> None:
        """An honest validator shows evidence."""
        if evidence.kind != "dissent" and evidence.validator not in self.liars:
            raise Violated("honour", f"{by} accuses {evidence.validator}, which is honest, of {evidence.kind}")
        kinds = self.named.setdefault(evidence.validator, [])
        if evidence.kind not in kinds:
            kinds.append(evidence.kind)
