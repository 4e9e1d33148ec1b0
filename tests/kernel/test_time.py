"""Civil dates in integers against the standard library's calendar."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from stoa.kernel.time import DAY, from_date, iso, to_date

EPOCH = date(1970, 1, 1)


@given(st.dates(min_value=EPOCH))
def test_dates_are_those_of_the_calendar(day: date) -> None:
    time = (day - EPOCH).days * DAY
    assert from_date(day.year, day.month, day.day) == time
    assert to_date(time) == to_date(time + DAY - 1) == (day.year, day.month, day.day)


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 — hypothesis asks for it
def test_iso_text_is_that_of_the_calendar(moment: datetime) -> None:
    time = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert iso(time) == moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_leap_days() -> None:
    for year, leap in ((1900, False), (2000, True), (2024, True), (2026, False), (2100, False), (2400, True)):
        after = to_date(from_date(year, 2, 28) + DAY)
        assert after == ((year, 2, 29) if leap else (year, 3, 1))
