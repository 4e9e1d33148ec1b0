"""Another log in place of one that failed its members: each institution's operator has its validator leave the epoch.

The validator promises to cast no more votes in it; when a quorum of members has promised, the next epoch begins with a
new log, and what may be final already comes first in it. One institution's operator can do no more than promise.
"""

import time
from pathlib import Path
from typing import Final, NamedTuple

from stoa.api.opening import bus_of, validator_of
from stoa.bus.faults import BusFault
from stoa.custody.keystore import Keystore
from stoa.custody.secret import Secret
from stoa.kernel.codec import encode
from stoa.node.config import load_config
from stoa.peers.nats import NatsPeers
from stoa.wire.question import OpeningWanted, leave_wanted, read_opening_known
from stoa.wire.vote import FIRST_EPOCH

CONNECT_SECONDS: Final = 10.0
ASK_SECONDS: Final = 5.0
BACK_SECONDS: Final = 20.0
OPEN_SECONDS: Final = 30.0  # for a quorum of promises to come together, when all members' operators act
GLANCE: Final = 0.25


class NotReached(Exception):
    """The institution's own validator does not answer over the bus."""


class Left(NamedTuple):
    """The epoch that was promised, and the one that the validator is in."""

    promised: int
    epoch: int


class Operator:
    """The operator of one institution's validator, over the bus and with its keys. Use as a context."""

    def __init__(self, folder: Path, chain: str, passphrase: Secret) -> None:
        """Raises KeystoreError, NotReached."""
        config = load_config(folder)
        keystore = Keystore(folder / config.keystore, passphrase)
        self._chain, self._validator = chain, validator_of(config, keystore)
        bus = bus_of(folder, config, keystore)
        if bus is None:
            raise NotReached(f"{config.institution} is alone: it has no network in its settings")
        self._bus = bus
        if not bus.wait(CONNECT_SECONDS):
            trouble = bus.counts().trouble
            bus.close()
            raise NotReached(f"{config.institution} reaches no ordering server: {trouble}")
        self._peers = NatsPeers(bus, chain, config.institution)

    def __enter__(self) -> "Operator":
        return self

    def __exit__(self, *_: object) -> None:
        self._peers.close()
        self._bus.close()

    def epoch(self) -> int:
        """The epoch that the validator is in. Raises NotReached."""
        opening = read_opening_known(self._ask(encode(OpeningWanted()))).opening
        return opening.epoch if opening else FIRST_EPOCH

    def leave(self, epoch: int) -> None:
        """Have the validator promise to leave the epochs before this one. Raises NotReached."""
        self._ask(encode(leave_wanted(self._chain, epoch, self._validator.secret)))

    def wait(self, epoch: int, until: float) -> int:
        """Wait until the epoch has begun, to a moment of the monotonic clock, and return the one that the validator is
        in. Raises NotReached."""
        while (now := self.epoch()) < epoch and time.monotonic() < until:
            time.sleep(GLANCE)
        return now

    def _ask(self, question: bytes) -> bytes:
        """Ask, for as long as a validator may take to come back to a server that was away."""
        until = time.monotonic() + BACK_SECONDS
        while True:
            try:
                return self._peers.ask(self._validator.institution, question, ASK_SECONDS)
            except BusFault as fault:
                if time.monotonic() > until:
                    why = f"{self._validator.institution}: its validator does not answer ({fault})"
                    raise NotReached(why) from None
                time.sleep(GLANCE)
