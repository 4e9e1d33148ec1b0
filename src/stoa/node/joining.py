"""Joining: a validator that has genesis alone, far behind the others, starts from their snapshot.

Once, before anything else is opened: the newest snapshot whose checkpoint a quorum signed, then all headers with their
certificates, then what the journal needs to vouch for the snapshot. Blocks behind it are fetched as always, bodies
before it are lent. Whatever fails on the way leaves a journal that is true as far as it goes.

Who signed is known from the snapshot's own rows. That counts where these members are those of genesis; where members
changed since, a quorum of them must say the same to this validator themselves, under the names that the transport
vouches for.
"""

import time
from contextlib import closing
from pathlib import Path
from typing import Final

from msgspec import DecodeError

from stoa.journal import Damaged, Journal, NotNext, Snapshot, append_bare
from stoa.kernel.codec import Malformed, encode
from stoa.kernel.limits import MAX_ANSWER_BYTES
from stoa.ledger.genesis import read_genesis
from stoa.ledger.governance.members import Members, members, members_at
from stoa.ledger.governance.model import ERAS, PARAMETERS, VALIDATORS
from stoa.ledger.memory import MemoryFinal
from stoa.ledger.state import State, Writes
from stoa.node import snapshot
from stoa.node.details import JournalEmpty
from stoa.node.log import LOG
from stoa.node.lost_votes import LostVotes
from stoa.node.recovery import found_state
from stoa.peers.promise import Peers, Silent
from stoa.wire.question import (
    Bare,
    HeadersWanted,
    Question,
    SnapshotOffered,
    SnapshotPartWanted,
    SnapshotWanted,
    read_headers,
    read_snapshot_offered,
    read_snapshot_part,
)
from stoa.wire.vote import Checkpoint, certificate_valid, checkpoint_valid

FAR_BLOCKS: Final = 5_000  # with fewer the blocks themselves are fetched and executed
PATIENCE_SECONDS: Final = 2.0  # for anybody to be there
PAUSE_SECONDS: Final = 0.1
ASK_SECONDS: Final = 10.0  # for one part
SYNC_BLOCKS: Final = 1_000  # headers of one sync
_GOVERNANCE: Final = tuple(bytes([table.number]) for table in (VALIDATORS, PARAMETERS, ERAS))


class Untrue(Exception):
    """What was offered does not show itself to be what the members have signed."""


class Joining:
    """Of one validator, whose journal is open and holds genesis alone."""

    def __init__(self, me: str, journal: Journal, peers: Peers, folder: Path, lost: LostVotes) -> None:
        """``folder`` is that of the snapshots."""
        self._me, self._journal, self._peers, self._folder, self._lost = me, journal, peers, folder, lost
        self._names = [one.institution for one in read_genesis(journal.genesis).founders if one.validator]

    def run(self) -> None:
        """Start from a snapshot if one is to be had. Raises DiskFull, Fatal."""
        offers = self._offers()
        if any(offer.height for offer in offers.values()) and self._lost.why is None:
            self._lost.note(JournalEmpty())
        far = [(offer.checkpoint, name, offer.size) for name, offer in offers.items() if offer.checkpoint is not None]
        for checkpoint, name, size in sorted(far, key=lambda one: (-one[0].height, one[1])):
            if checkpoint.height < FAR_BLOCKS:
                return
            try:
                self._take(checkpoint, name, size, offers)
            except (Untrue, Silent, Malformed, Damaged, DecodeError, NotNext, ValueError) as why:
                LOG.warning("snapshot_refused", peer=name, height=checkpoint.height, why=str(why))
            else:
                LOG.warning("joined", peer=name, height=checkpoint.height)
                return

    def _offers(self) -> dict[str, SnapshotOffered]:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            found: dict[str, SnapshotOffered] = {}
            for name in self._names:
                try:
                    if name != self._me:
                        found[name] = read_snapshot_offered(self._ask(name, SnapshotWanted()))
                except (Silent, Malformed):
                    continue
            if found or time.monotonic() >= until:
                return found
            time.sleep(PAUSE_SECONDS)

    def _ask(self, name: str, question: Question) -> bytes:
        return self._peers.ask(name, encode(question), ASK_SECONDS)

    def _take(self, checkpoint: Checkpoint, name: str, size: int, offers: dict[str, SnapshotOffered]) -> None:
        part = self._fetched(checkpoint.height, name, size)
        try:
            with closing(Snapshot(part)) as found:
                if (found.chain, found.checkpoint) != (self._journal.chain, checkpoint):
                    raise Untrue("the file holds another snapshot than was offered")
                view = State(_governance(found))
            if not snapshot.is_whole(part):
                raise Untrue("the rows have another root than the checkpoint")
            self._require_signed(checkpoint, view, offers)
            part.rename(snapshot.path_of(self._folder, checkpoint.height))
        finally:
            part.unlink(missing_ok=True)
        self._headers(checkpoint, view, [name, *(one for one in offers if one != name)])
        self._journal.checkpoint(checkpoint)
        self._journal.sync()

    def _fetched(self, height: int, name: str, size: int) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = snapshot.path_of(self._folder, height).with_suffix(".part")
        with path.open("wb") as file:
            while file.tell() < size:
                raw = read_snapshot_part(self._ask(name, SnapshotPartWanted(height, file.tell()))).raw
                if not raw:
                    raise Untrue("the snapshot ends before it is whole")
                file.write(raw)
        return path

    def _require_signed(self, checkpoint: Checkpoint, view: State, offers: dict[str, SnapshotOffered]) -> None:
        who, chain, first = members_at(view, checkpoint.height), self._journal.chain, self._first()
        if not checkpoint_valid(chain, checkpoint, who.keys, who.quorum):
            raise Untrue(f"fewer than {who.quorum} members signed the checkpoint")
        if members_at(view, 1) != first:
            raise Untrue("the snapshot does not begin with the members of genesis")
        if who == first:
            return
        same = [name for name in who.keys if name in offers and _says(offers[name].checkpoint) == _says(checkpoint)]
        if len(same) < who.quorum:
            raise Untrue(f"members changed since genesis, and {len(same)} of {who.quorum} say the same of it")

    def _first(self) -> Members:
        view = State(MemoryFinal())
        found_state(view, self._journal.genesis)
        return members(view)

    def _headers(self, checkpoint: Checkpoint, view: State, names: list[str]) -> None:
        """Each header is one that a quorum of the members of its height certified, and follows the one before."""
        journal, chain = self._journal, self._journal.chain
        while journal.height < checkpoint.height:
            before = journal.height
            for name in names:
                try:
                    found = read_headers(self._ask(name, HeadersWanted(before + 1, MAX_ANSWER_BYTES))).headers
                except (Silent, Malformed):
                    continue
                for one in found[: checkpoint.height - before]:
                    who, certificate = members_at(view, one.header.height), one.certificate
                    if not _certified(one, chain, who):
                        break
                    append_bare(journal, one)
                    if certificate.height % SYNC_BLOCKS == 0:
                        journal.sync()
                if journal.height > before:
                    break
            else:
                raise Untrue(f"nobody has header {before + 1} with a certificate")
        journal.sync()
        if journal.head.hash() != checkpoint.block_hash:
            raise Untrue("the headers lead to another block than the checkpoint's")


def _certified(one: Bare, chain: str, who: Members) -> bool:
    header, certificate = one.header, one.certificate
    return (certificate.height, certificate.block_hash) == (header.height, header.hash()) and certificate_valid(
        chain, certificate, who.keys, who.quorum
    )


def _says(checkpoint: Checkpoint | None) -> tuple[int, bytes, bytes, int] | None:
    """What it says, whoever signed it."""
    one = checkpoint
    return (one.height, one.block_hash, one.state_root, one.size) if one else None


def _governance(found: Snapshot) -> MemoryFinal:
    """The rows that say who the members are and were."""
    rows = [row for row in found.rows() if row[0].startswith(_GOVERNANCE)]
    final = MemoryFinal()
    final.write(Writes(list(rows), b"", {}))
    return final
