"""The brake on guessing: after a few free failures, each next attempt has to wait twice as long.

An attempt is charged before the password is looked at, so many at once gain nothing. Counts by user name and
by source, as hashes: what is typed into the name field by mistake may be a password. The table is bounded.
"""

from typing import Final

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from stoa.custody.refusals import Throttled
from stoa.custody.tables import ATTEMPTS
from stoa.kernel.hashing import tagged
from stoa.kernel.time import DAY, SECOND

FREE_FAILURES: Final = 5
FIRST_WAIT: Final = 1 * SECOND
LONGEST_WAIT: Final = 15 * 60 * SECOND
FORGIVEN_AFTER: Final = DAY
MAX_ATTEMPTS: Final = 10_000  # subjects remembered; the longest quiet are forgotten first


def charge(connection: Connection, names: list[str], now: int) -> Throttled | None:
    """Count an attempt against each name, or say how long to wait; an attempt refused here is not counted."""
    _forget(connection, now)
    subjects = [_subject(name) for name in names]
    chosen = select(ATTEMPTS).where(ATTEMPTS.c.subject.in_(subjects))
    until = max((row.last + wait(row.failures) for row in connection.execute(chosen)), default=0)
    if now < until:
        return Throttled(until, -(-(until - now) // SECOND))
    for subject in subjects:
        again = {"failures": ATTEMPTS.c.failures + 1, "last": now}
        first = insert(ATTEMPTS).values(subject=subject, failures=1, last=now)
        connection.execute(first.on_conflict_do_update(index_elements=["subject"], set_=again))
    return None


def absolve(connection: Connection, name: str) -> None:
    """Forget the failures under this name: the password was right."""
    connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.subject == _subject(name)))


def refund(connection: Connection, name: str) -> None:
    """Take back one charge, no more: a good login does not excuse guessing at other names."""
    mine = ATTEMPTS.c.subject == _subject(name)
    connection.execute(update(ATTEMPTS).where(mine).values(failures=ATTEMPTS.c.failures - 1))


def wait(failures: int) -> int:
    """Milliseconds from the last failure to the next attempt."""
    if failures < FREE_FAILURES:
        return 0
    doublings = min(failures - FREE_FAILURES, 30)
    return min(FIRST_WAIT << doublings, LONGEST_WAIT)


def _forget(connection: Connection, now: int) -> None:
    connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.last < now - FORGIVEN_AFTER))
    count = connection.execute(select(func.count()).select_from(ATTEMPTS)).scalar_one()
    if count >= MAX_ATTEMPTS:
        oldest = select(ATTEMPTS.c.subject).order_by(ATTEMPTS.c.last).limit(count - MAX_ATTEMPTS + 2)
        connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.subject.in_(oldest)))


def _subject(name: str) -> bytes:
    return tagged("stoa.custody.attempt", name.encode())
