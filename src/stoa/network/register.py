"""The register of certificates: which numbers of which institutions are let in, and which servers are known.

Kept by the authority as one file of public facts; every ordering server gets the lists that follow from it.
"""

from pathlib import Path
from typing import Final, Literal

import msgspec

from stoa.custody import durable

FILE: Final = "register.json"

Status = Literal["active", "replaced", "revoked"]


class Issued(msgspec.Struct, frozen=True):
    """An institution's certificates under one number. ``pin``: of its server's public key."""

    code: str
    number: int
    pin: str
    until: str
    status: Status


class Register:
    """Every certificate ever issued, in order. Changes are on disk when a method returns."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._issued: list[Issued] = []
        if self._path.is_file():
            self._issued = msgspec.json.decode(self._path.read_bytes(), type=list[Issued])

    @property
    def active(self) -> tuple[Issued, ...]:
        """Those that are let in."""
        return tuple(one for one in self._issued if one.status == "active")

    def next_number(self, code: str) -> int:
        """The number of an institution's next certificates."""
        return 1 + max((one.number for one in self._issued if one.code == code), default=0)

    def enter(self, *issued: Issued) -> None:
        """Enter new ones."""
        self._issued += issued
        self._write()

    def shut_out(self, code: str, status: Status, below: int) -> int:
        """Give an institution's active ones under smaller numbers another status; how many those were."""
        out = [one for one in self.active if one.code == code and one.number < below]
        self._issued = [msgspec.structs.replace(one, status=status) if one in out else one for one in self._issued]
        self._write()
        return len(out)

    def _write(self) -> None:
        durable.write(self._path, msgspec.json.format(msgspec.json.encode(self._issued)) + b"\n")
