"""Peers in one process, for tests that need no network: what ``peers.promise`` promises, over queues.

``Hall`` is what connects them; each validator gets a ``LocalPeers`` from it.
"""

from concurrent.futures import Future, TimeoutError
from dataclasses import dataclass

from stoa.bus.lane import Arrived, Lane
from stoa.peers.promise import MAX_MESSAGE_BYTES, Answer, Heard, Silent, TooLarge


@dataclass
class _Question:
    sender: str
    text: bytes
    answer: "Future[bytes]"


class Hall:
    """Where validators of one process hear each other."""

    def __init__(self) -> None:
        self.inside: dict[str, LocalPeers] = {}

    def enter(self, name: str) -> "LocalPeers":
        self.inside[name] = LocalPeers(self, name)
        return self.inside[name]


class LocalPeers:
    """Satisfies ``Peers``."""

    def __init__(self, hall: Hall, name: str) -> None:
        self._hall, self._name = hall, name
        self._questions: dict[str, _Question] = {}
        self._ears: list[Lane] = []
        self._closed = False

    def listen(self, heard: Heard, answer: Answer) -> None:
        def reply(arrived: Arrived) -> None:
            question = self._questions.pop(arrived.reply)
            try:
                question.answer.set_result(bounded(answer(question.sender, question.text)))
            except Exception as error:
                question.answer.set_exception(Silent(type(error).__name__))
                raise

        self._ears = [Lane("heard", lambda arrived: heard(arrived.subject, arrived.payload)), Lane("asked", reply)]

    def tell(self, message: bytes) -> None:
        bounded(message)
        for name, other in self._hall.inside.items():
            if name != self._name and other._ears and not other._closed and not self._closed:
                other._ears[0].put(Arrived(self._name, message, ""))

    def ask(self, peer: str, question: bytes, timeout: float) -> bytes:
        other = self._hall.inside.get(peer)
        bounded(question)
        if other is None or not other._ears or other._closed or self._closed:
            raise Silent(f"{peer} is not here")
        asked = _Question(self._name, question, Future())
        other._questions[str(id(asked))] = asked
        other._ears[1].put(Arrived(self._name, question, str(id(asked))))
        try:
            return asked.answer.result(timeout)
        except TimeoutError:
            raise Silent(f"{peer} did not answer within {timeout} s") from None

    def close(self) -> None:
        self._closed = True
        for ear in self._ears:
            ear.close()


def bounded(message: bytes) -> bytes:
    if len(message) > MAX_MESSAGE_BYTES:
        raise TooLarge(len(message), MAX_MESSAGE_BYTES)
    return message
