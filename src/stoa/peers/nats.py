"""Peers over the bus.

``say.<chain>.<from>`` carries what is told, ``ask.<chain>.<to>.<from>`` questions: a server that lets an institution
publish under its own name alone makes the sender's name true.
"""

from typing import Final

from stoa.bus.bus import Bus, Kept
from stoa.bus.faults import Disconnected
from stoa.bus.names import text_of, token
from stoa.peers.promise import MAX_MESSAGE_BYTES, Answer, Heard, Silent, TooLarge

ANYONE: Final = "*"


class NatsPeers:
    """Satisfies ``Peers`` for one validator, over a bus that it does not own."""

    def __init__(self, bus: Bus, chain: str, institution: str) -> None:
        self._bus, self._chain, self._me = bus, token(chain), token(institution)
        self._kept: list[Kept] = []
        self._closed = False

    def listen(self, heard: Heard, answer: Answer) -> None:
        """Begin to hear and to answer."""

        def hear(subject: str, message: bytes) -> None:
            sender = _last(subject)
            if sender != self._me and not self._closed:
                heard(text_of(sender), message)

        def reply(subject: str, question: bytes) -> bytes:
            return _bounded(answer(text_of(_last(subject)), question))

        self._kept += [
            self._bus.subscribe(f"say.{self._chain}.{ANYONE}", hear),
            self._bus.serve(f"ask.{self._chain}.{self._me}.{ANYONE}", reply),
        ]

    def tell(self, message: bytes) -> None:
        """Say it to all others."""
        if not self._closed:
            self._bus.publish(f"say.{self._chain}.{self._me}", _bounded(message))

    def ask(self, peer: str, question: bytes, timeout: float) -> bytes:
        """The peer's answer."""
        subject = f"ask.{self._chain}.{token(peer)}.{self._me}"
        try:
            if self._closed:
                raise Disconnected
            return self._bus.request(subject, _bounded(question), timeout)
        except Disconnected as no:
            raise Silent(f"{peer}: {no}") from None

    def close(self) -> None:
        """Say, hear, ask and answer nothing more."""
        self._closed = True
        for kept in self._kept:
            kept.stop()


def _last(subject: str) -> str:
    return subject.rpartition(".")[2]


def _bounded(message: bytes) -> bytes:
    if len(message) > MAX_MESSAGE_BYTES:
        raise TooLarge(len(message), MAX_MESSAGE_BYTES)
    return message
