"""The entry: commands put together, troubles turned into words and exit codes."""

import sys
from collections.abc import Sequence
from typing import Annotated, Literal

from cyclopts import CycloptsError, Parameter

from stoa.cli import (
    acting,
    catalog,
    founding,
    history,
    keys,
    measuring,
    network_entering,
    network_members,
    network_papers,
    network_running,
    networking,
    overloading,
    persons,
    playing,
    proving,
    query,
    rebuilding,
    restoring,
    users,
)  # fmt: skip
from stoa.cli.shell import FAULT, PLAIN, USAGE, Common, Trouble, Usage, app, console, write_json

COMMANDS = (  # each enters its own
    founding, playing, networking, network_running, network_papers, network_members, network_entering, keys, users,
    persons, acting, query, proving, history, rebuilding, restoring, measuring, overloading, catalog,
)  # fmt: skip


@app.command
def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"] | None, Parameter(help="By default the one in use.")] = None,
    *,
    common: Common = PLAIN,
) -> None:
    """Install completion of commands and options in the shell."""
    path = app.install_completion(shell=shell)
    common.done(
        {"file": str(path)}, f"Completion is in {path}. Open a new shell.", f"자동 완성을 {path}에 설치했습니다."
    )


def main(tokens: Sequence[str] | None = None) -> None:
    """Run one command and exit."""
    asked = list(sys.argv[1:] if tokens is None else tokens)
    as_json = "--json" in asked
    try:
        app(
            asked,
            exit_on_error=False,
            print_error=not as_json,
            error_console=console(stderr=True),
            result_action="return_value",
        )
    except CycloptsError as error:
        if as_json:
            _complain(Usage(str(error)), as_json)
        sys.exit(USAGE)
    except Trouble as trouble:
        _complain(trouble, as_json)
        sys.exit(trouble.code)
    except KeyboardInterrupt:
        sys.exit(FAULT)


def _complain(trouble: Trouble, as_json: bool) -> None:
    if as_json:
        kind = {1: "refused", USAGE: "usage", FAULT: "fault"}[trouble.code]
        write_json({"error": kind, "message": str(trouble), **trouble.details})
    else:
        console(stderr=True).print(f"[red]✗[/] {_escaped(str(trouble))}", highlight=False, soft_wrap=True)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
