"""What every command shares: the application, the common options, how answers are given and how troubles end.

Light on purpose: this is imported on every start, so what is heavy is imported where it is used.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from cyclopts import App, Parameter

if TYPE_CHECKING:
    from rich.console import Console

REFUSED, USAGE, FAULT = 1, 2, 3
Language = Literal["en", "ko"]

app: Final = App(
    name="stoa",
    help="A hall for tokenised securities: issue, comply, trade, settle, service and supervise on one shared ledger.",
    help_epilogue="Exit codes: 0 done, 1 refused by the ledger or a policy, 2 used wrongly, 3 a fault.",
    version_flags=["--version"],
)


class Trouble(Exception):
    """A command cannot do what it was asked to. ``details`` go into the JSON answer."""

    code: int = FAULT

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


class Refused(Trouble):
    """The ledger, a policy or a rule said no."""

    code = REFUSED


class Usage(Trouble):
    """The command was given something that it cannot use; the message says what to give."""

    code = USAGE


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """Options that every command takes."""

    folder: Annotated[Path | None, Parameter(env_var="STOA_FOLDER", help="The ledger's folder.")] = None
    json: Annotated[bool, Parameter(negative="", help="Answer with one JSON object.")] = False
    language: Annotated[Language | None, Parameter(help="Language of messages.")] = None

    def words(self, en: str, ko: str) -> str:
        """The sentence in the reader's language."""
        return ko if self.tongue == "ko" else en

    @property
    def tongue(self) -> Language:
        """The language asked for, else that of the environment."""
        if self.language is not None:
            return self.language
        return "ko" if os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("ko") else "en"

    def answer(self, value: Any, show: "Callable[[Console], None]") -> None:
        """Give the answer: the value as JSON, or shown to people."""
        if self.json:
            write_json(value)
        else:
            show(console())

    def rows(self, name: str, rows: Sequence[Mapping[str, Any]], columns: str = "", **more: Any) -> None:
        """An answer that is a list of rows with the same fields; people see these columns of them, or all."""
        if self.json:
            write_json({name: rows, **more})
        else:
            from stoa.cli.showing import rows_table

            shown = [{field: row[field] for field in columns.split()} for row in rows] if columns else rows
            console().print(rows_table(shown, name))

    def fields(self, value: Mapping[str, Any], title: str = "") -> None:
        """An answer that is one thing's fields."""
        if self.json:
            write_json(value)
        else:
            from stoa.cli.showing import fields_table

            console().print(fields_table(value, title))

    def done(self, value: Mapping[str, Any], en: str, ko: str) -> None:
        """An answer that is one sentence for people."""
        self.answer(value, lambda out: out.print(self.words(en, ko), highlight=False, markup=False, soft_wrap=True))


PLAIN: Final = Common()


def console(stderr: bool = False) -> "Console":
    """A console on standard output, or on standard error."""
    from rich.console import Console

    return Console(stderr=stderr)


def write_json(value: Any) -> None:
    """One JSON object on standard output."""
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=2) + "\n")


def plain(value: Any) -> Any:
    """The value as JSON knows it: structs by field name, accounts as addresses, other bytes as hexadecimal."""
    import msgspec

    from stoa.wire.forms import to_form

    built = msgspec.to_builtins(value, builtin_types=(bytes,))
    return _named(built, to_form)


def _named(value: Any, name: Callable[[bytes], Any]) -> Any:
    if isinstance(value, bytes):
        return name(value)
    if isinstance(value, dict):
        return {str(key): _named(item, name) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_named(item, name) for item in value]
    return value
