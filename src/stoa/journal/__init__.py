"""The record: blocks, votes, certificates, checkpoints and genesis, appended, synced, replayed, fed; and snapshots.

Owns the files and their checksums. Promises that what was synced survives any crash, that nothing is half there, and
that damage is found and located. Does not own what a block means (``ledger``), its order (``ordering``), or the state.
"""

from stoa.journal.check import Report, inspect
from stoa.journal.cutting import cut
from stoa.journal.disk import REAL_DISK, Disk
from stoa.journal.dropping import Dropping
from stoa.journal.faults import BodyDropped, Damage, Damaged, DiskFull, Fatal, NoJournal, NotNext, Occupied
from stoa.journal.flaws import Authority
from stoa.journal.journal import Journal
from stoa.journal.restoring import restore
from stoa.journal.scrub import Scrub
from stoa.journal.snapshot import Snapshot, write_snapshot

__all__ = [
    "REAL_DISK",
    "Authority",
    "BodyDropped",
    "Damage",
    "Damaged",
    "Disk",
    "DiskFull",
    "Dropping",
    "Fatal",
    "Journal",
    "NoJournal",
    "NotNext",
    "Occupied",
    "Report",
    "Scrub",
    "Snapshot",
    "cut",
    "inspect",
    "restore",
    "write_snapshot",
]
