"""Figures read as the language's custom is, and lose nothing."""

from babel.core import Locale

from stoa.web import figures

EN, KO = Locale.parse("en"), Locale.parse("ko")


def test_money_has_all_its_decimals_and_its_own_sign() -> None:
    assert figures.money(123_456_789, "USD", 2, EN) == "$1,234,567.89"
    assert figures.money(123_456_789, "USD", 2, KO) == "US$1,234,567.89"
    assert figures.money(-5, "USD", 2, EN) == "-$0.05"
    assert figures.money(1_000, "KRW", 0, KO) == "₩1,000"
    assert figures.money(2**62, "USD-BANK", 18, EN) == "4.611686018427387904 USD-BANK"


def test_units_and_rates() -> None:
    assert figures.units(1_234_567, EN) == "1,234,567"
    assert figures.units(150, EN, 2) == "1.5"
    assert figures.rate(1, 3, EN) == "33.33%"
    assert figures.rate(1, 0, EN) == "–"


def test_times_are_utc() -> None:
    assert figures.date(1_772_409_599_999, EN) == "Mar 1, 2026"
    assert 'datetime="2026-03-02T00:00:00+00:00"' in figures.moment(1_772_409_600_000, KO)


def test_a_refusal_is_told_with_times_and_short_addresses_and_escaped() -> None:
    address = figures.text_of(bytes(20))
    sentence = f"{address} <b> expired at 2026-03-02T00:00:00.000Z"
    text = str(figures.told(sentence, {"account": address, "expired": 1_772_409_600_000, "code": 1}, EN))
    assert "&lt;b&gt;" in text
    assert "Mar 2, 2026 00:00:00" in text
    assert f'title="{address}"' in text
