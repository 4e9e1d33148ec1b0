"""Evidence: what other validators did against the rules, kept with their own signatures, for people to look at.

One JSON object a line, and a line in the log, with the English sentence; who shows it asks ``sayings`` for the reader's
language. It is a record for people and changes nothing by itself: members decide by vote. Who notes it waits for no
disk: a thread of the book's own writes, in the order of the notes, and says in the log what it cannot write. Safe for
threads.
"""

import threading
from collections import deque
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from stoa.agreement.details import Detail
from stoa.journal.disk import REAL_DISK
from stoa.kernel.codec import encode
from stoa.node.log import LOG
from stoa.node.sayings import said

FILE: Final = "evidence.jsonl"
MAX_SHOWN: Final = 100
MAX_WAITING: Final = 1_000  # rows that wait for the disk; beyond it they are counted and shown, and not written
MAX_FILE_BYTES: Final = 16 * 1024 * 1024  # beyond it nothing more is written or logged: a liar must not fill the disk


class Noted(NamedTuple):
    """One piece. ``time`` in milliseconds; ``proof``: canonical bytes."""

    time: int
    kind: str
    validator: str
    height: int
    why: Detail
    proof: bytes

    def row(self) -> dict[str, Any]:
        """As the file has it: ``code`` and ``figures`` of why, and its English sentence."""
        words = {"code": self.why.code, "figures": self.why.figures, "why": said(self.why)}
        return self._asdict() | words | {"proof": self.proof.hex()}


class EvidenceBook:
    """The file and what was noted last. ``close`` it: what waits is written first."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self.shown: deque[Noted] = deque(maxlen=MAX_SHOWN)
        self.count = 0
        self._known: dict[bytes, None] = {}
        self._waiting: deque[Noted] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._write, name="stoa-evidence", daemon=True)
        self._thread.start()

    def note(self, time: int, kind: str, who: str, height: int, why: Detail, proof: object = None) -> None:
        """Have it written down, once for each proof. ``time`` in milliseconds."""
        raw = encode(proof)
        noted = Noted(time, kind, who, height, why, raw)
        with self._changed:
            if proof is not None and raw in self._known:
                return
            if len(self._known) < MAX_SHOWN:
                self._known[raw] = None
            self.shown.append(noted)
            self.count += 1
            if len(self._waiting) < MAX_WAITING:
                self._waiting.append(noted)
                self._changed.notify()

    def close(self) -> None:
        """Write what waits, and nothing after it."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting)
                if not self._waiting:
                    return
                noted = self._waiting.popleft()
            try:
                self._append(noted)
            except OSError as error:  # a full disk stops the journal, and that the node; not this
                LOG.error("unwritten", file=FILE, why=str(error))

    def _append(self, noted: Noted) -> None:
        if self._path.exists() and self._path.stat().st_size >= MAX_FILE_BYTES:
            return
        row = noted.row()
        LOG.error("evidence", **{name: row[name] for name in ("kind", "validator", "height", "code", "why")})
        line, file = msgspec.json.encode(row) + b"\n", REAL_DISK.open(self._path, write=True)
        end = file.size()
        try:
            file.write(end, line)
        except OSError:
            file.truncate(end)  # the whole line or nothing
            raise
        finally:
            file.close()
