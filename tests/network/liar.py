"""The program of a validator that lies: that of any other, with false words put into its mouth.

Run as ``python liar.py FOLDER`` in place of ``stoa up --folder FOLDER``. The folder's file ``lies`` names the lies of
the moment, one a line, and may be changed while it runs; each lie told is a line of ``lies-told``. Its keys, its
certificate and its connection are its own: what it says is signed by it, as a liar's words would be. One fault of an
honest member is made here too: the log may bring it nothing, so that it must ask others for blocks.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from stoa.api.opening import validator_of
from stoa.custody.keystore import Keystore
from stoa.custody.secret import Secret
from stoa.kernel.codec import decoder, encode
from stoa.node.answers import Answers
from stoa.node.config import PASSPHRASE_VARIABLE, load_config
from stoa.node.finality import Finality, Validator
from stoa.node.voice import Voice
from stoa.ordering.engine import Ordered
from stoa.ordering.jetstream import JetStreamEngine
from stoa.wire.batch import Batch, BatchBody, read_batch, sign_batch
from stoa.wire.question import Blocks, BodyKept
from stoa.wire.status import Rooted, Status, Word
from stoa.wire.vote import Checkpoint, Vote, sign_vote

ASKED: Final = "lies"
TOLD: Final = "lies-told"
TWO_VOTES, WRONG_ROOT, WRONG_STATE = "two_votes", "wrong_root", "wrong_state"
TWO_BATCHES, ALTERED_BATCH, GARBAGE = "two_batches", "altered_batch", "garbage"
WITHHELD_BATCH, WITHHELD_BLOCKS, ALTERED_BLOCKS = "withheld_batch", "withheld_blocks", "altered_blocks"

DEAF: Final = "deaf"


class Liar:
    """What the lies need to know: who lies, and what is asked for at the moment."""

    def __init__(self, folder: Path, me: Validator) -> None:
        self._folder, self.me = folder, me

    def does(self, lie: str) -> bool:
        """Whether the lie is asked for."""
        return bool(self.asked(lie))

    def asked(self, lie: str) -> list[str]:
        """The line of the lie, as words; empty if it is not asked for."""
        asked = self._folder / ASKED
        lines = [line.split() for line in asked.read_text().splitlines()] if asked.exists() else []
        return next((line for line in lines if line[:1] == [lie]), [])

    def told(self, lie: str) -> None:
        """Write down that it was told."""
        with (self._folder / TOLD).open("a") as file:
            file.write(f"{lie}\n")

    # words

    def words(self, word: Word) -> tuple[Word, ...]:
        """What is said in place of a word."""
        if isinstance(word, Status) and word.vote is not None:
            other = msgspec.structs.replace(word, vote=self._other(word.chain, word.vote))
            for lie, said in ((TWO_VOTES, (word, other)), (WRONG_ROOT, (other,))):
                if self.does(lie):
                    self.told(lie)
                    return said
        if isinstance(word, Rooted) and self.does(WRONG_STATE):
            self.told(WRONG_STATE)
            return (Rooted(word.chain, self._otherwise(word.chain, word.checkpoint)),)
        return (word,)

    def _other(self, chain: str, vote: Vote) -> Vote:
        """For a block with another root: one that this validator's false state gives."""
        return sign_vote(chain, vote.height, _flipped(vote.block_hash), vote.validator, self.me.secret, vote.epoch)

    def _otherwise(self, chain: str, true: Checkpoint) -> Checkpoint:
        return Finality(chain, self.me).checkpoint(true.height, true.block_hash, _flipped(true.state_root), true.size)

    # batches

    def batches(self, raw: bytes) -> tuple[bytes, ...]:
        """What is published in place of a batch, in this order."""
        batch = read_batch(raw)
        body = batch.body
        if body.producer != self.me.institution:
            return (raw,)
        for lie, published in (
            (TWO_BATCHES, lambda: (raw, self._signed(body, (b"for somebody else",)))),
            (ALTERED_BATCH, lambda: (raw, encode(Batch(self._as_another(body), batch.signature)))),
            (GARBAGE, lambda: (raw, b"no batch at all")),
            (WITHHELD_BATCH, tuple),
        ):
            if self.does(lie):
                self.told(lie)
                return published()
        return (raw,)

    def _signed(self, body: BatchBody, envelopes: tuple[bytes, ...]) -> bytes:
        return encode(sign_batch(msgspec.structs.replace(body, envelopes=envelopes), self.me.secret))

    def _as_another(self, body: BatchBody) -> BatchBody:
        """In the name of another member: the next of its numbers, and an envelope that it never saw."""
        name, number = self.asked(ALTERED_BATCH)[1:]
        return msgspec.structs.replace(body, producer=name, number=int(number), envelopes=(b"not its own",))

    # answers

    def answer(self, raw: bytes) -> bytes:
        """What is answered in place of blocks."""
        for reader in (_BLOCKS, _BODY):
            try:
                true = reader.decode(raw)
            except msgspec.DecodeError:
                continue
            if self.does(WITHHELD_BLOCKS):
                self.told(WITHHELD_BLOCKS)
                return encode(Blocks(()) if isinstance(true, Blocks) else BodyKept(None, None))
            if self.does(ALTERED_BLOCKS) and isinstance(true, Blocks) and true.blocks:
                self.told(ALTERED_BLOCKS)
                return encode(Blocks(tuple((_altered(block), shown) for block, shown in true.blocks)))
        return raw


_BLOCKS, _BODY = decoder(Blocks), decoder(BodyKept)


def _flipped(true: bytes) -> bytes:
    return bytes(byte ^ 1 for byte in true)


def _altered(block: Any) -> Any:
    return msgspec.structs.replace(block, envelopes=(*block.envelopes[1:], b"more"))


def lie_as(liar: Liar) -> None:
    """From now on this process lies where it is asked to."""
    say, publish, answer, read = Voice.say, JetStreamEngine.publish, Answers.answer, JetStreamEngine.read

    def said(self: Voice, word: Word) -> None:
        for one in liar.words(word):
            say(self, one)

    def published(self: JetStreamEngine, raw: bytes) -> int:
        positions = [publish(self, one) for one in liar.batches(raw)]
        return positions[0] if positions else 0

    def answered(self: Answers, asker: str, raw: bytes) -> bytes:
        return liar.answer(answer(self, asker, raw))

    def read_on(self: JetStreamEngine, after: int, timeout: float) -> Ordered | None:
        if not liar.does(DEAF):
            return read(self, after, timeout)
        time.sleep(timeout)
        return None

    Voice.say, JetStreamEngine.publish, Answers.answer = said, published, answered  # type: ignore[method-assign]
    JetStreamEngine.read = read_on  # type: ignore[method-assign]


def main() -> None:
    """Run the validator of the folder that is the last word."""
    from stoa.cli.app import main as stoa

    folder = Path(sys.argv[-1])
    config = load_config(folder)
    keystore = Keystore(folder / config.keystore, Secret(os.environ[PASSPHRASE_VARIABLE]))
    lie_as(Liar(folder, validator_of(config, keystore)))
    stoa(["up", "--folder", str(folder)])


if __name__ == "__main__":
    main()
