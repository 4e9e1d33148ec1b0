"""Files that survive a crash: whole or not at all, readable by their owner alone, changed by one at a time.

Promises: after ``write`` returns, the new bytes are on disk under the name; before that, the old ones are.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

OWNER_ONLY: Final = 0o600
OWNER_ONLY_DIRECTORY: Final = 0o700
COPY_BYTES: Final = 1024 * 1024  # at a time


class Busy(Exception):
    """Another process holds the file; the message names it."""


def write(path: Path, data: bytes, *, new: bool = False) -> None:
    """Put the bytes in place of the file at once. With ``new``, raises FileExistsError when there is one."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if new:
            os.link(temporary, path)  # unlike a rename, refuses to replace
        else:
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)


def copy(source: Path, path: Path) -> None:
    """A copy of the file, synced, under a new name; the name itself lasts after ``sync_directory``."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with source.open("rb") as whole, os.fdopen(handle, "wb") as file:
        shutil.copyfileobj(whole, file, COPY_BYTES)
        file.flush()
        os.fsync(file.fileno())


def sync_directory(directory: Path) -> None:
    """Make creations, renames and removals in the directory last."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def private_directory(path: Path) -> None:
    """Create the directory, with its parents, for the owner alone."""
    path.mkdir(mode=OWNER_ONLY_DIRECTORY, parents=True, exist_ok=True)


def take(path: Path, *, wait: bool) -> int:
    """A handle on a lock that ends with ``os.close`` or the process. Raises Busy when not waiting."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(handle)
        raise Busy(f"{path.parent} is in use by another process") from None
    return handle


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock beside the file while it is read, changed and written."""
    handle = take(path.with_name(f"{path.name}.lock"), wait=True)
    try:
        yield
    finally:
        os.close(handle)
