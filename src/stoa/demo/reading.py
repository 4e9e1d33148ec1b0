"""Tables in files that people write: TOML and CSV, read field by field, with complaints that help.

A complaint names the file, the line, the field, the rule that is broken and the figure that breaks it. Unknown fields
are refused, so that a typing error is not silently a default. Does not own: what a field means (``files``).
"""

import csv
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, TypeVar

from stoa.kernel import limits
from stoa.kernel.identifiers import CODE_RULE, is_code
from stoa.kernel.money import Rate
from stoa.kernel.time import from_date

T = TypeVar("T")
MAX_FILE_BYTES: Final = 4 * 1024 * 1024
_HEADER: Final = re.compile(r"^\s*(\[\[?)\s*([\w.\-]+)\s*\]\]?")
_KEY: Final = re.compile(r'^\s*"?([\w.\-]+)"?\s*=')
_MONEY: Final = re.compile(r"^(\d{1,16})(?:\.(\d{1,18}))?$")
_RATE: Final = re.compile(r"^(\d{1,9}(?:\.\d{1,9})?)\s*%$")


class BadFile(ValueError):
    """A file does not say what it must. ``str`` is ``file:line: field: rule (figures)``."""

    def __init__(self, file: str, line: int, field: str, rule: str, figures: str = "") -> None:
        self.file, self.line, self.field, self.rule, self.figures = file, line, field, rule, figures
        place = f"{file}:{line}" if line else file
        super().__init__(f"{place}: {field}: {rule}" + (f" ({figures})" if figures else ""))


class Table:
    """Named fields with the place that each was written at. Each is asked for once; ``finish`` refuses the rest."""

    def __init__(self, file: str, fields: dict[str, Any], line_of: Callable[[str], int], name: str = "") -> None:
        self.file, self._fields, self._line_of, self.name = file, fields, line_of, name
        self._asked: set[str] = set()
        self._known: set[str] = set()  # what may be here, also where it is not written

    def bad(self, field: str, rule: str, figures: object = "") -> BadFile:
        """The complaint about a field."""
        return BadFile(self.file, self._line_of(field), f"{self.name}{field}", rule, str(figures))

    def has(self, field: str) -> bool:
        """Whether the field is written at all."""
        self._known.add(field)
        return field in self._fields

    def raw(self, field: str, wanted: str) -> Any:
        """The field as it is. Raises BadFile when it is missing."""
        self._asked.add(field)
        self._known.add(field)
        if field not in self._fields:
            raise self.bad(field, f"is missing; wanted is {wanted}")
        return self._fields[field]

    def finish(self) -> None:
        """Refuse fields that nobody asked for."""
        for field in self._fields:
            if field not in self._asked:
                known = ", ".join(sorted(self._known))
                raise self.bad(field, "there is no such field here", f"known are {known}" if known else "")

    # kinds of fields

    def text(self, field: str, most: int = limits.MAX_NAME, least: int = 1) -> str:
        """A text of bounded length."""
        value = self.raw(field, "a text")
        if not isinstance(value, str) or not least <= len(value) <= most:
            raise self.bad(field, f"wanted is a text of {least} to {most} characters", repr(value))
        return value

    def code(self, field: str) -> str:
        """The code of an asset or institution."""
        value = self.text(field, limits.MAX_CODE)
        if not is_code(value):
            raise self.bad(field, f"a code is {CODE_RULE}", repr(value))
        return value

    def whole(self, field: str, least: int = 0, most: int = limits.MAX_UNITS) -> int:
        """A whole number between bounds."""
        value: object = self.raw(field, "a whole number")
        if isinstance(value, str) and value.replace("_", "").isdigit():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.bad(field, f"wanted is a whole number from {least} to {most}", repr(value))
        return value

    def flag(self, field: str) -> bool:
        """true or false."""
        value = self.raw(field, "true or false")
        if not isinstance(value, bool):
            raise self.bad(field, "wanted is true or false", repr(value))
        return value

    def money(self, field: str, decimals: int) -> int:
        """An amount, quoted as text, in the smallest unit. A binary fraction is never money."""
        value = self.raw(field, f'an amount such as "100.{"0" * decimals}"')
        match = _MONEY.match(value) if isinstance(value, str) else None
        if match is None:
            raise self.bad(field, 'wanted is an amount in quotes, such as "100.00"', repr(value))
        whole, part = match.group(1), match.group(2) or ""
        if len(part) > decimals:
            raise self.bad(field, f"the currency has {decimals} decimals", repr(value))
        return int(whole + part.ljust(decimals, "0"))

    def rate(self, field: str) -> Rate:
        """A share in percent, exact, e.g. ``15.4 %``; at most the whole."""
        value = self.raw(field, 'a rate such as "15.4 %"')
        match = _RATE.match(value) if isinstance(value, str) else None
        share = Fraction(match.group(1)) / 100 if match else Fraction(2)
        if share > 1:
            raise self.bad(field, 'wanted is a rate from "0 %" to "100 %"', repr(value))
        return Rate(share.numerator, share.denominator)

    def day(self, field: str) -> int:
        """A date, as the milliseconds of its midnight UTC."""
        value = self.raw(field, "a date such as 2027-03-01")
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value)
            except ValueError:
                raise self.bad(field, "wanted is a date such as 2027-03-01", repr(value)) from None
        if not isinstance(value, date) or isinstance(value, datetime) or value.year < 1970:
            raise self.bad(field, "wanted is a date such as 2027-03-01", repr(value))
        return from_date(value.year, value.month, value.day)

    def choice(self, field: str, options: Sequence[str]) -> str:
        """One of these words."""
        value = self.raw(field, " or ".join(options))
        if value not in options:
            raise self.bad(field, "wanted is " + " or ".join(options), repr(value))
        return str(value)

    def words(self, field: str, options: Sequence[str] = ()) -> tuple[str, ...]:
        """A list of words, at least one; of these, if options are given."""
        value = self.raw(field, "a list of words")
        if not isinstance(value, list) or not value or not all(isinstance(word, str) for word in value):
            raise self.bad(field, "wanted is a list of at least one word in quotes", repr(value))
        for word in value:
            if options and word not in options:
                raise self.bad(field, "wanted are words out of " + ", ".join(options), repr(word))
        return tuple(value)

    def parsed(self, field: str, parse: Callable[[str], T]) -> T:
        """A text in a small language of its own; ``parse`` raises ValueError with the rule."""
        value = self.text(field, limits.MAX_TEXT)
        try:
            return parse(value)
        except ValueError as error:
            raise self.bad(field, str(error), repr(value)) from None

    def table(self, field: str) -> "Table":
        """A table inside this one."""
        value = self.raw(field, f"a table [{self.name}{field}]")
        if not isinstance(value, dict):
            raise self.bad(field, "wanted is a table", repr(value))
        return self._inner(field, value, f"{field}.")

    def tables(self, field: str) -> "list[Table]":
        """A list of tables inside this one, in order; there is at least one."""
        value = self.raw(field, f"at least one table [[{self.name}{field}]]")
        if not isinstance(value, list) or not value or not all(isinstance(row, dict) for row in value):
            raise self.bad(field, "wanted is a list of tables in double brackets")
        return [self._inner(f"{field}[{number}]", row, f"{field}[{number}].") for number, row in enumerate(value)]

    def _inner(self, path: str, fields: dict[str, Any], prefix: str) -> "Table":
        line_of = self._line_of
        return Table(self.file, fields, lambda field: line_of(f"{prefix}{field}") or line_of(path), self.name + prefix)


def read_text(path: Path) -> str:
    """The text of a file. Raises BadFile when it is missing, too large or not UTF-8."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadFile(path.name, 0, "file", "cannot be read", error.strerror or "") from None
    if len(raw) > MAX_FILE_BYTES:
        raise BadFile(path.name, 0, "file", f"has at most {MAX_FILE_BYTES} bytes", f"{len(raw)}")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadFile(path.name, raw.count(b"\n", 0, error.start) + 1, "text", "must be UTF-8") from None


def read_toml(path: Path) -> Table:
    """The table of a TOML file. Raises BadFile."""
    return parse_toml(path.name, read_text(path))


def parse_toml(name: str, text: str) -> Table:
    """The table of a TOML text; complaints call it by the name. Raises BadFile."""
    try:
        fields = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        raise BadFile(name, int(found.group(1)) if found else 0, "text", f"is not TOML: {error}") from None
    lines = _toml_lines(text)
    return Table(name, fields, lambda field: lines.get(field, 0))


def _toml_lines(text: str) -> dict[str, int]:
    """Where each field is written: ``table[0].field`` → line. Enough for files written by hand."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            path = _indexed(header.group(2), counts)
            if header.group(1) == "[[":
                counts[path] = counts.get(path, -1) + 1
                path = f"{path}[{counts[path]}]"
            lines[path] = number
            prefix = f"{path}."
        elif key := _KEY.match(line):
            lines.setdefault(prefix + key.group(1), number)
    return lines


def _indexed(path: str, counts: dict[str, int]) -> str:
    """A header's dotted path with the number of the list entry that each outer list is at."""
    *outer, last = path.split(".")
    found = ""
    for part in outer:
        found += part
        found += f"[{counts[found]}]." if found in counts else "."
    return found + last


def read_csv(path: Path, columns: Sequence[str]) -> list[Table]:
    """The rows of a CSV file whose first line names exactly these columns. Raises BadFile."""
    reader = csv.reader(read_text(path).splitlines())
    header = [name.strip() for name in next(reader, [])]
    if header != list(columns):
        raise BadFile(path.name, 1, "header", "the columns are " + ",".join(columns), ",".join(header))
    rows = list(_rows(path.name, reader, header))
    if not rows:
        raise BadFile(path.name, 2, "rows", "there is at least one row")
    return rows


def _rows(file: str, reader: Any, header: list[str]) -> Iterator[Table]:
    for cells in reader:
        line = reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise BadFile(file, line, "row", f"has {len(header)} fields", f"{len(cells)}")
        fields = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
        yield Table(file, fields, lambda _, line=line: line)  # type: ignore[misc]
