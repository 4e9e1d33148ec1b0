"""The promise between validators beside the log, and nothing of how it is kept.

What is told reaches each other validator at most once, perhaps never, in any order; who needs more tells again or asks.
What is heard or asked carries the name of its sender as the transport knows it; a signature inside the message is what
proves anything. A peer may be slow, silent, or lying.
"""

from collections.abc import Callable
from typing import Final, Protocol

from stoa.bus.faults import Silent as Silent  # raised by every transport when a peer does not answer
from stoa.bus.faults import TooLarge as TooLarge
from stoa.bus.settings import MAX_PAYLOAD_BYTES

MAX_MESSAGE_BYTES: Final = MAX_PAYLOAD_BYTES - 64 * 1024  # of one message, question or answer; the rest is framing

Heard = Callable[[str, bytes], None]  # from whom, what
Answer = Callable[[str, bytes], bytes]  # who asks, what


class Peers(Protocol):
    """One validator's mouth and ears. Safe from any thread."""

    def listen(self, heard: Heard, answer: Answer) -> None:
        """Begin to hear and to answer, once. Each is called on a thread of its own, one message at a time.

        An exception in ``heard`` loses that message; one in ``answer`` is silence for who asked.
        """

    def tell(self, message: bytes) -> None:
        """Say it to all others. Never waits. Raises TooLarge."""

    def ask(self, peer: str, question: bytes, timeout: float) -> bytes:
        """The peer's answer, within ``timeout`` seconds. Raises Silent, TooLarge."""

    def close(self) -> None:
        """Say, hear, ask and answer nothing more."""
