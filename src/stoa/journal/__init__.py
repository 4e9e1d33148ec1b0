"""The record: blocks, votes, certificates, checkpoints and genesis, appended, synced, replayed, fed; and snapshots.

Owns the files and their checksums. Promises that what was synced survives any crash, that nothing is half there, and
that damage is found and located. Does not own what a block means (``ledger``), its order (``ordering``), or the state.

The record only grows, with four exceptions, each a file of its own. Until a certificate covers the last block another
one may take its place; the record of the first stays (``journal``). A journal that is damaged from some block on can be
cut before it; what was there is set aside, never deleted (``cutting``). Bodies of old blocks that others keep may be
dropped (``dropping``), and what was dropped or damaged is put back when its hash is the one that the journal vouches
for (``restoring``): then a segment is written anew beside itself and renamed. The scrub (``scrub``) finds what went bad
in silence. Whoever reads meanwhile gets what was written, or an error, and never anything else.
"""

from stoa.journal.bare import append_bare, bare
from stoa.journal.check import Report, inspect
from stoa.journal.cutting import cut
from stoa.journal.disk import REAL_DISK, Disk
from stoa.journal.dropping import Dropping, dropped
from stoa.journal.faults import BodyDropped, Damage, Damaged, DiskFull, Fatal, NoJournal, NotNext, Occupied
from stoa.journal.flaws import Authority
from stoa.journal.journal import Journal, Lender
from stoa.journal.restoring import hash_at, restore
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
    "Lender",
    "NoJournal",
    "NotNext",
    "Occupied",
    "Report",
    "Scrub",
    "Snapshot",
    "append_bare",
    "bare",
    "cut",
    "dropped",
    "hash_at",
    "inspect",
    "restore",
    "write_snapshot",
]
