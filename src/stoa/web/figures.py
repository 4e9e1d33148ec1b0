"""How figures read: units, money, rates, dates, ages and hashes, by the language's own customs.

Integers come in as the ledger keeps them; nothing is rounded except where the name says so. Times are UTC throughout:
one ledger, one clock, and a date in a term sheet means the same to both sides of a trade.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from babel.core import Locale
from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_symbol, is_currency
from markupsafe import Markup, escape

from stoa.kernel.identifiers import ACCOUNT_BYTES, ADDRESS_PREFIX, address
from stoa.kernel.time import DAY, iso

HASH_ENDS: Final = (10, 6)  # characters of a hash or address that are shown at either side
NOTHING: Final = "–"
TIMES: Final = frozenset(
    "time expires expired acquired locked effective until opens closes record payment created issued opened adopted "
    "valid_until latest earliest placed".split()
)  # fields of the ledger's records that are milliseconds


def _moment(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1_000, UTC)


def units(count: int, locale: Locale, decimals: int = 0) -> str:
    """Units of an asset with grouping, e.g. ``1,234``."""
    return format_decimal(Decimal(count).scaleb(-decimals), locale=locale, decimal_quantization=False)


def money(amount: int, code: str, decimals: int, locale: Locale) -> str:
    """An amount in the smallest unit of a cash token, with all its decimals, e.g. ``$1,234.50`` or ``7.00 USD-B``."""
    number = f"#,##0.{'0' * decimals}".rstrip(".")
    known = is_currency(code) and get_currency_symbol(code, locale) != code
    pattern = f"¤{number}" if known else f"{number} ¤¤"
    exact = Decimal(amount).scaleb(-decimals)
    return format_currency(exact, code, format=pattern, locale=locale, currency_digits=False)


def rate(over: int, under: int, locale: Locale) -> str:
    """A ratio as a percentage, rounded to two decimals."""
    return format_percent(Decimal(over) / Decimal(under), format="#,##0.00%", locale=locale) if under else NOTHING


def date(time: int, locale: Locale) -> str:
    """The UTC date."""
    return format_date(_moment(time).date(), "medium", locale=locale)


def moment(time: int, locale: Locale) -> Markup:
    """Date and time of day, UTC, as a ``<time>`` element that machines can read too."""
    when = _moment(time)
    text = f"{format_date(when.date(), 'medium', locale=locale)} {format_time(when, 'HH:mm:ss', locale=locale)}"
    return Markup('<time datetime="{}">{}</time>').format(when.isoformat(), text)


def age(since: int, now: int, locale: Locale) -> str:
    """How long ago, in the largest unit that fits, e.g. ``3 days``."""
    return format_timedelta(_moment(max(since, now)) - _moment(since), locale=locale)


def short(identifier: bytes | str) -> Markup:
    """A hash or an address with its middle left out; the whole is in the title, for copying."""
    whole = text_of(identifier)
    head, tail = HASH_ENDS
    shown = whole if len(whole) <= head + tail + 1 else f"{whole[:head]}…{whole[-tail:]}"
    return Markup('<span class="hash" title="{}">{}</span>').format(escape(whole), escape(shown))


def text_of(identifier: bytes | str) -> str:
    """An account as its address, other bytes as hexadecimal digits."""
    if isinstance(identifier, str):
        return identifier
    return address(identifier) if len(identifier) == ACCOUNT_BYTES else identifier.hex()


def told(sentence: str, figures: Mapping[str, Any], locale: Locale) -> Markup:
    """A refusal's sentence for people: its addresses shortened, its times as the language writes them."""
    text = escape(sentence)
    for name, value in figures.items():
        if isinstance(value, str) and value.startswith(ADDRESS_PREFIX) and len(value) > sum(HASH_ENDS) + 1:
            text = text.replace(escape(value), short(value))
        elif name in TIMES and isinstance(value, int) and value > DAY:
            text = text.replace(iso(value), moment(value, locale))
    return text


def filters(locale: Locale) -> dict[str, Callable[..., Any]]:
    """The functions that templates use, for one locale."""
    return {
        "units": lambda count, decimals=0: units(count, locale, decimals),
        "money": lambda amount, code, decimals: money(amount, code, decimals, locale),
        "rate": lambda over, under: rate(over, under, locale),
        "date": lambda time: date(time, locale),
        "moment": lambda time: moment(time, locale),
        "age": lambda since, now: age(since, now, locale),
        "short": short,
        "told": lambda sentence, figures: told(sentence, figures, locale),
    }
