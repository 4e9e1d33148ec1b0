"""Waking: the journal and the state of a folder, open and in step, also when the journal is damaged.

Who has peers cuts a damaged journal before the damage and fetches the rest as certified blocks; the votes that it cast
behind the cut may be lost with it, which is noted first. Who is alone has nobody to ask, and refuses to start.
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

from stoa.journal import Damaged, Disk, Journal, Lender, cut
from stoa.ledger.state import State
from stoa.node.details import JournalCut
from stoa.node.log import LOG
from stoa.node.lost_votes import LostVotes
from stoa.node.recovery import Progress, open_state
from stoa.node.state_store import Standing, StateStore

JOURNAL_FOLDER: Final = "journal"
STATE_FOLDER: Final = "state"
SNAPSHOT_FOLDER: Final = "snapshots"
MAX_CUTS: Final = 16  # of one start; what is still damaged then is a case for people


class Awake(NamedTuple):
    """What a node stands on. ``close`` gives it back."""

    journal: Journal
    store: StateStore
    view: State
    standing: Standing
    close: Callable[[], None]


Lending = Callable[[Journal], Lender | None]  # before the state is opened; who lends bodies that the journal lacks


def wake(folder: Path, disk: Disk, progress: Progress | None, processes: int, mend: bool, lending: Lending) -> Awake:
    """Open journal and state. Raises NoJournal, Occupied, Broken, BodyDropped, and Damaged unless others can ``mend``
    it."""
    lowest = 0
    for _ in range(MAX_CUTS):
        try:
            return _awake(folder, disk, progress, processes, lending)
        except Damaged as damaged:
            found = damaged.damage.height
            lowest = min(found, lowest - 1) if lowest else found
            if not mend or lowest < 1:
                raise
            place = damaged.damage
            LostVotes(folder).note(JournalCut(lowest, place.segment, place.offset, place.field))
            aside = cut(folder / JOURNAL_FOLDER, lowest, disk)
            LOG.error("cut", height=lowest, why=str(damaged), set_aside=aside.name if aside else "")
    return _awake(folder, disk, progress, processes, lending)


def _awake(folder: Path, disk: Disk, progress: Progress | None, processes: int, lending: Lending) -> Awake:
    with ExitStack() as opened:
        journal = opened.enter_context(Journal.open(folder / JOURNAL_FOLDER, disk))
        journal.lender = lending(journal)
        snapshots = folder / SNAPSHOT_FOLDER
        store, view, standing = open_state(folder / STATE_FOLDER, journal, progress, snapshots, processes)
        opened.callback(store.close)
        return Awake(journal, store, view, standing, opened.pop_all().close)
