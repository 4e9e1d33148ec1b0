"""Time as the ledger knows it: whole milliseconds since 1970-01-01T00:00Z, brought by the block.

Civil dates are computed with integers (proleptic Gregorian calendar, UTC), so no clock or time zone table is read.
"""

from typing import Annotated, Final

from msgspec import Meta

from stoa.kernel import limits

Time = Annotated[int, Meta(ge=0, le=limits.MAX_TIME)]

SECOND: Final = 1_000
DAY: Final = 86_400_000


def from_date(year: int, month: int, day: int) -> int:
    """Midnight UTC of a civil date, in milliseconds (Hinnant's days_from_civil)."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return (era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468) * DAY


def to_date(time: int) -> tuple[int, int, int]:
    """The civil date (year, month, day) in UTC of a time in milliseconds."""
    days = time // DAY + 719_468
    era = days // 146_097
    of_era = days - era * 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + (3 if shifted < 10 else -9)
    return year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


def iso(time: int) -> str:
    """The time as ISO 8601 text in UTC, e.g. ``2026-11-22T09:00:00.000Z``."""
    year, month, day = to_date(time)
    rest = time % DAY
    hours, minutes, seconds = rest // 3_600_000, rest // 60_000 % 60, rest // SECOND % 60
    return f"{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{rest % SECOND:03}Z"
