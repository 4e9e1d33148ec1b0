"""What may be read of a ledger's folder beside the node that runs on it, or without one. Changes nothing."""

from pathlib import Path

from stoa.journal.journal import Journal
from stoa.ledger.state import State
from stoa.node.finality import Members, members
from stoa.node.node import JOURNAL_FOLDER, STATE_FOLDER
from stoa.node.state_store import reading


def validators_of(folder: Path) -> tuple[str, Members]:
    """The ledger's name, and its validators after the last final block. Raises NoJournal, Damaged, Unusable."""
    with Journal.open(folder / JOURNAL_FOLDER, readonly=True) as journal:
        chain = journal.chain
    with reading(folder / STATE_FOLDER) as snapshot:
        return chain, members(State(snapshot))
