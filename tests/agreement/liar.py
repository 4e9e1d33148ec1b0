"""A validator that lies. Its core is a good one; what leaves it is not."""

from collections.abc import Callable
from random import Random
from typing import Any, Final

import msgspec

from stoa.agreement.effects import Say
from stoa.wire.batch import Batch
from stoa.wire.status import Opening, Promise, Status, Word
from stoa.wire.vote import Vote
from tests.agreement.log import LogDown
from tests.agreement.toy import CHAIN, Rules, decoded, make_batch
from tests.agreement.validator import Answer, Validator, World

LIES: Final = (
    "two_votes", "wrong_root", "silent", "garbage", "promises", "replays", "two_batches", "early", "alters",
    "withholds",
)  # fmt: skip
MAX_REPLAYED: Final = 64


class Liar(Validator):
    """Does all that is in ``lies``, now and then."""

    def __init__(
        self, name: str, world: World, rules: Rules, random: Random, depth_first: bool, lies: tuple[str, ...]
    ) -> None:
        super().__init__(name, world, rules, random, depth_first)
        self.lies = lies
        self._heard: list[Word] = []
        self._send: Callable[..., None] = world.deliver
        self._false = random.randbytes(32)

    def _does(self, lie: str, chance: float = 0.5) -> bool:
        return lie in self.lies and self.random.random() < chance

    # ---- words

    def hear(self, word: Word) -> None:
        if len(self._heard) < MAX_REPLAYED:
            self._heard.append(word)
        super().hear(word)

    def _do_say(self, effect: Say) -> None:
        for at, name in enumerate(one for one in self.world.names if one != self.name):
            if not self._does("silent"):
                self._send(self.name, name, "hear", self._told(effect.word, at))
            if self._does("two_votes", 0.1):  # a slip: both to one
                self._send(self.name, name, "hear", effect.word)
            if self._does("garbage"):
                self._send(self.name, name, "hear", self._garbage())
            if self._does("promises"):
                self._send(self.name, name, "hear", self._promised())
            if self._does("replays") and self._heard:
                self._send(self.name, name, "hear", self.random.choice(self._heard))

    def _told(self, word: Word, at: int) -> Word:
        if not isinstance(word, Status) or word.vote is None:
            return self._promised() if isinstance(word, Promise) and "promises" in self.lies else word
        if "wrong_root" in self.lies or ("two_votes" in self.lies and at % 2):
            other = bytes(byte ^ 1 for byte in word.vote.block_hash)
            return msgspec.structs.replace(word, vote=self.signer.vote(word.vote.height, other, word.vote.epoch))
        return word

    def _garbage(self) -> Word:
        core, random = self.core, self.random
        height, epoch = core.height + random.choice((0, 1, 3, 1_000_000)), core.epoch + random.choice((0, 1, 1_000))
        vote: Vote | None = self.signer.vote(max(1, core.height + random.randint(-1, 9)), random.randbytes(32), epoch)
        if random.random() < 0.3 and vote is not None:
            victim = random.choice(self.world.names)
            vote = msgspec.structs.replace(vote, validator=victim)
        return Status(CHAIN, self.name, epoch, height, random.randbytes(32), random.choice((None, vote)))

    def _promised(self) -> Word:
        core, random = self.core, self.random
        epoch = max(core.promised, core.epoch) + random.choice((0, 1, 1, 5))
        height = core.height + random.choice((-1, 0, 0, 0, 1, 1_000))
        tail = self.signer.vote(height + 1, self._false, random.randint(1, max(1, epoch - 1))) if height >= 0 else None
        head = core.head if random.random() < 0.8 else random.randbytes(32)
        bare = Promise(CHAIN, epoch, self.name, max(0, height), head, random.choice((tail, tail, None)), b"")
        mine = self.signer.promise(bare)
        if random.random() < 0.3:
            others = tuple(
                msgspec.structs.replace(mine, validator=name, tail=None)
                for name in self.world.names
                if name != self.name
            )
            return Opening(CHAIN, epoch, (mine, *others))
        return mine

    # ---- batches

    def publish(self, batch: bytes) -> None:
        super().publish(batch)
        body = decoded(batch).body
        if self._does("two_batches"):
            self._slip(make_batch(self.name, body.number, self.clock, (b"%s again" % self.name.encode(),)))
        if self._does("early"):
            self._slip(make_batch(self.name, body.number + self.random.randint(1, 3), self.clock, (b"early",)))
        if self._does("replays"):
            self._slip(msgspec.msgpack.encode(Batch(body, self.random.randbytes(64))))

    def _slip(self, batch: bytes) -> None:
        try:
            self.world.log(self.core.epoch).publish(self.name, self.world.morning + self.world.now, batch)
        except LogDown:
            return

    # ---- answers

    def answer(self, asker: str, start: int) -> Answer | None:
        if self._does("withholds", 0.8):
            return self.random.choice((None, []))
        answer = super().answer(asker, start) or []
        return [self._altered(*one) for one in answer] if self._does("alters", 0.8) else answer

    def _altered(self, block: Any, certificate: Any) -> Any:
        replace = msgspec.structs.replace
        match self.random.randint(0, 4):
            case 0:
                return replace(block, envelopes=(*block.envelopes, b"more")), certificate
            case 1:
                return replace(block, batch_signature=self.random.randbytes(64)), certificate
            case 2:
                return block, replace(certificate, votes=certificate.votes[:1])
            case 3:
                header = replace(block.header, writes_hash=self.random.randbytes(32))
                return replace(block, header=header), replace(certificate, block_hash=header.hash())
            case _:
                return block, certificate
