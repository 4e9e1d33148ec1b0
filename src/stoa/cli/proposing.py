"""``stoa propose-pack``: a file of rules as the proposal that puts them before the members' vote."""

from datetime import date
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from stoa.cli.shell import PLAIN, Common, Usage, app, write_json

PROPOSE: Final = "governance.propose.v1"


@app.command
def propose_pack(
    file: Annotated[Path, Parameter(help="A TOML file of a rule pack, such as examples/rule-packs/us-reg-s.toml.")],
    *,
    institution: Annotated[str, Parameter(help="The validator that proposes, by its code.")],
    height: Annotated[int, Parameter(help="The block in which the pack is to be in force.")],
    expires: Annotated[str, Parameter(help="The day at whose start, UTC, it is too late, such as 2027-03-01.")],
    reason: Annotated[str, Parameter(help="What the members are told.")] = "rule pack",
    common: Common = PLAIN,
) -> None:
    """Write the instruction that proposes a rule pack, for `stoa explain` and `stoa submit`; nothing is sent."""
    from stoa.demo.files import read_pack
    from stoa.demo.reading import BadFile
    from stoa.kernel.time import from_date
    from stoa.ledger.catalog import INSTRUCTION_BY_TAG
    from stoa.wire.forms import BadForm, pick_form, to_form

    try:
        change = {"tag": "adopt_pack", **read_pack(file)}
        last = date.fromisoformat(expires)
    except BadFile as error:
        raise Usage(str(error), file=error.file, line=error.line, field=error.field) from None
    except ValueError:
        raise Usage(common.words(f"--expires {expires}: no date.", f"--expires {expires}: 날짜가 아닙니다.")) from None
    proposal = {
        "tag": PROPOSE, "institution": institution, "change": change, "height": height,
        "expires": from_date(last.year, last.month, last.day), "reason": reason,
    }  # fmt: skip
    try:
        write_json(to_form(pick_form(INSTRUCTION_BY_TAG, proposal)))
    except BadForm as error:
        raise Usage(str(error)) from None
