"""Evidence: what other validators did against the rules, kept with their own signatures, for people to look at.

One JSON object a line, and a line in the log. It is a record for people and changes nothing by itself: members decide
by vote.
"""

from collections import deque
from pathlib import Path
from typing import Any, Final

import msgspec

from stoa.journal.disk import REAL_DISK
from stoa.kernel.codec import encode
from stoa.node.log import LOG

FILE: Final = "evidence.jsonl"
MAX_SHOWN: Final = 100
MAX_FILE_BYTES: Final = 16 * 1024 * 1024  # beyond it nothing more is written or logged: a liar must not fill the disk


class EvidenceBook:
    """The file and what was noted last."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self.shown: deque[dict[str, Any]] = deque(maxlen=MAX_SHOWN)
        self.count = 0
        self._known: dict[bytes, None] = {}

    def note(self, time: int, kind: str, who: str, height: int, why: str, proof: object = None) -> None:
        """Write it down, once for each proof. ``time`` in milliseconds."""
        raw = encode(proof)
        if proof is not None and raw in self._known:
            return
        if len(self._known) < MAX_SHOWN:
            self._known[raw] = None
        row = {"time": time, "kind": kind, "validator": who, "height": height, "why": why, "proof": raw.hex()}
        self.shown.append(row)
        self.count += 1
        if not self._path.exists() or self._path.stat().st_size < MAX_FILE_BYTES:
            LOG.error("evidence", kind=kind, validator=who, height=height, why=why)
            self._append(msgspec.json.encode(row) + b"\n")

    def _append(self, line: bytes) -> None:
        """The whole line or nothing. Raises OSError: who has no room for this has none for the next block either."""
        file = REAL_DISK.open(self._path, write=True)
        end = file.size()
        try:
            file.write(end, line)
        except OSError:
            file.truncate(end)
            raise
        finally:
            file.close()
