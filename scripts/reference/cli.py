"""The page of commands, from the command line's own application."""

import re
from pathlib import Path
from typing import Final

from scripts.reference.markdown import NOTE
from stoa.cli.app import COMMANDS
from stoa.cli.shell import app

ROOT: Final = Path(__file__).resolve().parents[2]
COMMON: Final = ("* `--folder PATH`: The ledger's folder. *[env: STOA_FOLDER]*", "* `--json`", "* `--language CHOICE`")
LEAD: Final = (
    "Every command takes `--folder` (the ledger's folder; also `STOA_FOLDER`, by default `ledger`), `--json` (one JSON "
    "object instead of text) and `--language en|ko`. They are not repeated below."
)


def commands() -> str:
    """Every command with its arguments and options."""
    assert COMMANDS  # each has entered its own into the application
    text = app.generate_docs(output_format="markdown", usage_name="stoa").replace(f"{ROOT}/", "")
    head, _, rest = text.partition("## Table of Contents")
    said = head.partition("```\n\n")[2].strip()
    whole = "**Commands**:" + rest.partition("**Commands**:")[2]
    lines = [line.rstrip() for line in whole.splitlines() if not line.startswith(COMMON)]
    # a usage line of a command tells, wrongly, which module Python was started with
    lines = [re.sub(r"^(stoa .*?) -m [\w.]+", r"\1", line) for line in lines]
    body = "\n".join(lines).replace("**Parameters**:\n\n\n", "").replace("**Parameters**:\n\n##", "##").strip()
    return "\n\n".join(["# Commands", NOTE, said, LEAD, _sorted(body, "##").strip()]) + "\n"


def _sorted(text: str, mark: str) -> str:
    """The sections of a level by name, and theirs within: commands enter the application as modules are imported."""
    head, *sections = re.split(rf"^(?={mark} )", text, flags=re.M)
    inner = [_sorted(one, f"{mark}#") if f"\n{mark}# " in one else one for one in sections]
    return "\n\n".join(part.strip() for part in (head, *sorted(inner)))
