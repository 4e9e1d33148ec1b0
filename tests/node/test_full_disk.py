"""No room on the disk: whatever file it is, nothing is half there, the message names the file, and room heals it.

A limit on the size of files stands for the disk: the system refuses the very same calls, with a short write first.
"""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from stoa.journal import DiskFull
from stoa.ledger.identity.register_party import RegisterParty
from stoa.node.details import TwoVotes
from stoa.node.evidence import FILE as EVIDENCE
from stoa.node.evidence import EvidenceBook
from stoa.node.node import Node
from stoa.node.outbox import FILE as OUTBOX
from stoa.node.outbox import Outbox
from stoa.node.state_store import Standing, StateStore, reading
from tests.node.house import House
from tests.node.script import VALIDATOR
from tests.node.test_node import until

PAGE, HEAD, BRANCH = 4_096, 16, 0x01  # of LMDB's file


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file may grow beyond it."""
    before, heard = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, heard)


def test_a_batch_that_the_outbox_has_no_room_for_is_never_taken_for_kept(tmp_path: Path) -> None:
    """A write that the disk cuts short succeeds: who does not count the bytes publishes what it will not remember."""
    outbox = Outbox(tmp_path)
    with room_for(1_000), pytest.raises(OSError, match=OUTBOX):
        outbox.keep(b"b" * 5_000)
    assert outbox.left_over() == b""
    outbox.keep(b"b" * 5_000)
    assert outbox.left_over() == b"b" * 5_000
    outbox.close()


def noted(folder: Path, height: int) -> None:
    book = EvidenceBook(folder)
    book.note(1, "two_votes", "KSD", height, TwoVotes())
    book.close()


def test_no_line_of_evidence_is_half_there(tmp_path: Path) -> None:
    noted(tmp_path, 7)
    size = (tmp_path / EVIDENCE).stat().st_size
    with room_for(size + 20):
        noted(tmp_path, 8)
    assert (tmp_path / EVIDENCE).stat().st_size == size
    noted(tmp_path, 9)
    assert (tmp_path / EVIDENCE).read_bytes().count(b"\n") == 2


@pytest.mark.parametrize("more", [0, 1_000, 9 * PAGE, 9 * PAGE + 1_000])
def test_the_state_takes_a_block_whole_or_not_at_all(tmp_path: Path, more: int) -> None:
    """LMDB calls a write that was cut short an input/output error, which is what a failing disk says."""
    store, standing = StateStore(tmp_path), Standing(1, bytes(32), 0, ())
    store.write([(b"\x01a", b"1")], standing)
    rows: list[tuple[bytes, bytes | None]] = [(b"\x01%04d" % at, os.urandom(400)) for at in range(1_000)]
    with room_for((tmp_path / "data.mdb").stat().st_size + more), pytest.raises(DiskFull, match=r"data\.mdb"):
        store.write(rows, replace(standing, height=2))
    assert (store.standing(), dict(store.scan(b""))) == (standing, {b"\x01a": b"1"})
    store.write(rows, replace(standing, height=2))
    assert len(list(store.scan(b""))) == 1_001
    store.close()


def test_a_node_stops_says_which_file_and_goes_on_when_there_is_room(running: House) -> None:
    running.party(1)
    size = max(path.stat().st_size for path in running.journal_folder.iterdir())
    with room_for(size + 100):
        running.send(running.signed("BROKER-A", RegisterParty(2_000, False, "BROKER-A")))
        until(lambda: running.node.failure)
    assert running.node.failure.startswith("DiskFull: no room on the disk")
    assert str(running.journal_folder) in running.node.failure
    final = running.node.health().height
    running.node.close()
    running.open()
    assert running.node.health().height == final, "nothing of the block was kept"
    running.node.start()
    assert running.party(2).applied


def test_the_mapped_table_of_readers_has_all_its_room(tmp_path: Path) -> None:
    """To write into a hole of a mapped file ends the process where the disk has no room for it."""
    StateStore(tmp_path).close()
    found = (tmp_path / "lock.mdb").stat()
    assert found.st_blocks * 512 >= found.st_size > 0


def astray(path: Path) -> int:
    """Let the last pointer of every branch page lead nowhere; how many there are. The first keys can still be read."""
    pages = bytearray(path.read_bytes())
    found = 0
    for start in range(2 * PAGE, len(pages), PAGE):
        flags, lower = (int.from_bytes(pages[start + at : start + at + 2], "little") for at in (10, 12))
        if flags == BRANCH and (lower - HEAD) // 2 > 1:
            node = start + int.from_bytes(pages[start + lower - 2 : start + lower], "little")
            pages[node : node + 6] = b"\x7f" * 6
            found += 1
    path.write_bytes(pages)
    return found


def test_a_state_with_pages_that_are_none_is_built_again(running: House) -> None:
    for at in range(20):
        running.do("BROKER-A", *(RegisterParty(10_000 + at * 50 + one, False, "BROKER-A") for one in range(50)))
    running.node.close()
    assert astray(running.state_folder / "data.mdb")
    (running.state_folder / "open").touch()  # so a killed process leaves it
    with reading(running.state_folder) as view:
        assert view.standing() is not None, "it opens, and says where it stands"
    done: list[tuple[int, int]] = []
    running.node = Node(running.folder, VALIDATOR, clock=running.clock, progress=lambda *step: done.append(step))
    assert done, "it was built again"
    running.node.start()
    assert running.party(2).applied


def test_a_state_is_walked_only_after_an_end_that_was_no_close(tmp_path: Path) -> None:
    mark, store = tmp_path / "open", StateStore(tmp_path)
    assert mark.exists()
    store.close()
    assert not mark.exists()
    store = StateStore(tmp_path)
    store.doubt()
    store.close()
    assert mark.exists()


def test_a_walk_that_ended_the_process_is_not_walked_again(running: House) -> None:
    running.party(1)
    running.node.close()
    (running.state_folder / "walking").touch()
    done: list[tuple[int, int]] = []
    running.node = Node(running.folder, VALIDATOR, clock=running.clock, progress=lambda *step: done.append(step))
    assert done, "it was built again"
    running.node.start()
    assert running.party(2).applied
