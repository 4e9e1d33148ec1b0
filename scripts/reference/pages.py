"""The list of pages, and which of them are not current."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from scripts.reference import alarms, api, cli, ledger, rules, settings
from scripts.reference.markdown import page, table

FOLDER: Final = Path(__file__).resolve().parents[2] / "docs/reference"

PAGES: Final[dict[str, tuple[str, Callable[[], str]]]] = {
    "instructions.md": ("every instruction: fields, who signs, why it is refused, in order", ledger.instructions),
    "events.md": ("every event that a receipt may hold", ledger.events),
    "rejections.md": ("every refusal: number, name, sentence in English and Korean", ledger.rejections),
    "facts.md": ("every fact that a rule may name, and the phases of a movement", rules.facts),
    "parameters.md": ("governed numbers with bounds and defaults, and the fixed limits", rules.parameters),
    "invariants.md": ("what is always true of the whole state", rules.invariants),
    "alarms.md": ("every alarm, evidence and readiness: codes, figures, sentence in English and Korean", alarms.alarms),
    "api.md": ("every route of the API", api.routes),
    "cli.md": ("every command and option", cli.commands),
    "settings.md": ("`stoa.toml`, the environment, the signing policy", settings.settings),
}


def written() -> dict[str, str]:
    """Every page by file name, as it should be."""
    index = table(("page", "says"), [(f"[{name}]({name})", says) for name, (says, _) in PAGES.items()])
    pages = {name: make() for name, (_, make) in PAGES.items()}
    return {"README.md": page("Reference", "What there is, in full, as the code has it.", index), **pages}


def stale() -> dict[str, str]:
    """The pages whose file is missing or says something else."""
    return {name: text for name, text in written().items() if _read(name) != text}


def _read(name: str) -> str:
    path = FOLDER / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""
