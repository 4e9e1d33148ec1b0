"""What can go wrong for a client, as exceptions. A refused transaction is none of them: its receipt says so."""

from typing import Any

import msgspec


class Reason(msgspec.Struct, frozen=True):
    """One reason why not, with its figures. ``instruction``: the one it speaks about; -1: the whole."""

    code: int
    name: str
    sentence: str
    figures: dict[str, Any] = {}
    instruction: int = -1


class Problem(msgspec.Struct, frozen=True):
    """A problem document (RFC 9457) as the API gives it."""

    status: int
    detail: str = ""
    code: int = 0
    name: str = ""
    reasons: list[Reason] = []


class ClientError(Exception):
    """Base of what this client raises."""


class ProblemError(ClientError):
    """The API refused the request. ``problem`` has name, number and every reason."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.status} {problem.name}: {problem.detail}")
        self.problem = problem


class Unreachable(ClientError):
    """Nothing, or nothing understandable, came back, however often it was asked."""


class NotFinal(ClientError):
    """The transaction was accepted and is not final yet. Ask again for ``transaction``; do not build another."""

    def __init__(self, transaction: bytes) -> None:
        super().__init__(f"the transaction {transaction.hex()} is accepted and not final yet")
        self.transaction = transaction
