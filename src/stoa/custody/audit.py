"""The audit log: who had what signed, when, with which key, and what was refused. Append-only and chained.

One JSON line a record, ``{"hash": …, "record": {…}}``, where hash = SHA-256(previous hash ‖ record's bytes)
with a domain tag; one file a UTC day, one chain through all. A record is on disk when ``append`` returns.

Promises: a changed, removed or inserted record is found and located. A cut-off end shows only against a head
that somebody else kept (``head``). A line torn by a crash is dropped: nothing was given out on its strength.
"""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from stoa.custody import durable
from stoa.custody.policy import Summary
from stoa.kernel.hashing import tagged
from stoa.kernel.time import to_date

GENESIS: Final = bytes(32)
MAX_LINE_BYTES: Final = 1024 * 1024
RECALLED_FILES: Final = 2  # an intent lives a day at most, so two days hold all that is still of consequence


class Record(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One line. ``action`` is proposed, approved, signed, repeated, refused, declined or expired."""

    sequence: int
    time: int  # milliseconds, never less than the record before
    action: str
    user: str
    transaction: str  # hexadecimal
    account: str = ""  # address
    grant: str = ""
    keys: tuple[str, ...] = ()  # names of the keys that signed
    summaries: tuple[Summary, ...] = ()
    body: bytes = b""  # with proposed: what will be signed
    created: int = 0  # with proposed: when the intent was made
    refusals: tuple[str, ...] = ()  # English sentences


class AuditBroken(Exception):
    """The chain does not hold; the message says in which file and line."""


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    hash: str
    record: msgspec.Raw


_LINES = msgspec.json.Decoder(_Line)
_RECORDS = msgspec.json.Decoder(Record)


class AuditLog:
    """The log in a directory, held by one process at a time.

    ``reader`` gets the records of the last two days on opening, then every new one. Opening raises Busy or
    AuditBroken. After a failed write the log closes itself, so that the chain stays whole.
    """

    def __init__(self, directory: Path, reader: Callable[[Record], None]) -> None:
        durable.private_directory(directory)
        self._directory = directory
        self._held = durable.take(directory / "lock", wait=False)
        self._lock = threading.Lock()
        self._reader = reader
        self._file, self._name = -1, ""
        self._sequence, self._hash, self._time = 0, GENESIS, 0
        try:
            files = _files(directory)
            if files:
                _drop_torn_line(files[-1])
            self._recall(files[-RECALLED_FILES:], None if len(files) > RECALLED_FILES else GENESIS)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the log."""
        for handle in (self._file, self._held):
            if handle >= 0:
                os.close(handle)
        self._file = self._held = -1

    @property
    def head(self) -> tuple[int, bytes]:
        """Number of records and the last hash: with it kept elsewhere, the end cannot be cut off unseen."""
        return self._sequence, self._hash

    def clock(self, now: int) -> int:
        """The time to use: ``now``, but never before the last record, so that no limit is reset twice."""
        return max(now, self._time)

    def append(self, record: Record) -> None:
        """Number and write the record, and sync. Raises OSError, or AuditBroken once closed."""
        with self._lock:
            if self._held < 0:
                raise AuditBroken("the audit log is closed")
            kept = msgspec.structs.replace(record, sequence=self._sequence + 1)
            raw = msgspec.json.encode(kept)
            digest = _link(self._hash, raw)
            try:
                self._select(_file_name(kept.time))
                _write_all(self._file, msgspec.json.encode(_Line(digest.hex(), msgspec.Raw(raw))) + b"\n")
                os.fsync(self._file)
            except OSError:
                self.close()
                raise
            self._sequence, self._hash, self._time = kept.sequence, digest, kept.time
            self._reader(kept)

    def _select(self, name: str) -> None:
        if name != self._name:
            if self._file >= 0:
                os.close(self._file)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            self._file = os.open(self._directory / name, flags, durable.OWNER_ONLY)
            self._name = name
            durable.sync_directory(self._directory)

    def _recall(self, files: list[Path], previous: bytes | None) -> None:
        for path in files:
            for record, digest in _chained(path, previous):
                previous = self._hash = digest
                self._sequence, self._time = record.sequence, record.time
                self._reader(record)


def verify(directory: Path, head: tuple[int, bytes] | None = None) -> int:
    """Check the whole chain, and that it contains a known head. Returns the number of records.

    Raises AuditBroken, naming file and line.
    """
    previous, count, seen = GENESIS, 0, head is None or head == (0, GENESIS)
    last = 0
    for path in _files(directory):
        for record, digest in _chained(path, previous):
            count += 1
            if record.sequence != count or record.time < last:
                raise AuditBroken(f"{path.name}: record {record.sequence} is out of order")
            previous, last = digest, record.time
            seen = seen or (count, digest) == head
    if not seen:
        raise AuditBroken("the log does not contain the head that was noted earlier")
    return count


def read(directory: Path, day: int) -> tuple[Record, ...]:
    """The records of the UTC day that contains the time ``day``, for a page of the auditor."""
    path = directory / _file_name(day)
    return tuple(record for record, _ in _chained(path, None)) if path.exists() else ()


def _chained(path: Path, previous: bytes | None) -> Iterator[tuple[Record, bytes]]:
    """Records with their hashes. ``previous`` None: the first record's own hash is taken on trust."""
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_LINE_BYTES), b""), start=1):
            try:
                parsed = _LINES.decode(line)
                record = _RECORDS.decode(parsed.record)
                digest = bytes.fromhex(parsed.hash)
            except (msgspec.MsgspecError, ValueError):
                raise AuditBroken(f"{path.name}, line {number}: not a record") from None
            if previous is not None and digest != _link(previous, bytes(parsed.record)):
                raise AuditBroken(f"{path.name}, line {number}: the chain breaks here")
            previous = digest
            yield record, digest


def _link(previous: bytes, raw: bytes) -> bytes:
    return tagged("stoa.custody.audit", previous, raw)


def _file_name(time: int) -> str:
    year, month, day = to_date(time)
    return f"audit-{year:04}-{month:02}-{day:02}.jsonl"


def _files(directory: Path) -> list[Path]:
    return sorted(directory.glob("audit-*.jsonl"))


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _drop_torn_line(path: Path) -> None:
    """Cut a last line without its end: the write that a crash interrupted, before anything depended on it."""
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole != len(data):
        with path.open("r+b") as file:
            file.truncate(whole)
            os.fsync(file.fileno())
