"""How a log is, for a node to act on: a kind, and a sentence for people."""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """From well to worst. Only REPLACED stops the engine; from all others it goes on by itself.

    UNFIT: its configuration is not the agreed one, which operators correct or agree on.
    UNREACHABLE: no connection, or the log has no leader; nothing is accepted meanwhile, and it mends itself.
    REGRESSED: the log ends before what was read from it. It lost entries it had accepted. Readers stay where they are,
    and get nothing until it has grown past that; a producer publishes again what did not become final.
    GONE: the log does not exist. It may come back with its servers.
    REPLACED: another log has its name. It holds none of what was accepted; members open a new epoch.
    """

    WELL = "well"
    UNFIT = "unfit"
    UNREACHABLE = "unreachable"
    REGRESSED = "regressed"
    GONE = "gone"
    REPLACED = "replaced"


class Condition(NamedTuple):
    """``sentence`` says it to an operator; empty when all is well."""

    kind: Kind
    sentence: str = ""

    @property
    def stopped(self) -> bool:
        """Whether the engine accepts and delivers nothing more, until operators open a new epoch."""
        return self.kind is Kind.REPLACED


WELL = Condition(Kind.WELL)
