"""``stoa network``: a network of institutions on this machine, or the files for one of many machines."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import App, Parameter

from stoa.cli.houses import passphrase
from stoa.cli.shell import PLAIN, Common, Usage, app

if TYPE_CHECKING:
    pass

network = App(name="network", help="A network of institutions: found it, run it, look at it, and let parts of it fail.")
app.command(network)
HERE: Final = Path("network")  # the folder where --folder and STOA_FOLDER are not given


@network.command
def init(
    *,
    institutions: Annotated[Path, Parameter(help="The members, as in examples/koscom-five.toml.")],
    hosts: Annotated[
        bool, Parameter(negative="", help="Give each member a network namespace of its own, as if it were a host.")
    ] = False,
    common: Common = PLAIN,
) -> None:
    """Make a network in a new folder: keys, genesis, certificates and settings, a folder for each institution."""
    from stoa.custody.keystore import KeystoreError
    from stoa.custody.policy import STARTER
    from stoa.kernel.codec import Malformed
    from stoa.network.founding import found_network
    from stoa.network.plan import BadFile, on_hosts, read_plan
    from stoa.node.node import wall_clock
    from stoa.wire.forms import BadForm

    folder = common.folder or HERE
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise Usage(common.words(f"{folder} is not empty: choose a new folder.", f"{folder}이(가) 비어 있지 않습니다."))
    try:
        plan = read_plan(institutions)
        plan = on_hosts(plan) if hosts else plan
        made = found_network(plan, folder, passphrase(common, new=True), STARTER, wall_clock())
    except BadFile as error:
        raise Usage(str(error), file=error.file, line=error.line, field=error.field) from None
    except (KeystoreError, Malformed, BadForm) as error:
        raise Usage(str(error)) from None
    answer = {
        "folder": str(folder), "chain": plan.chain, "quorum": plan.quorum, "genesis": made.genesis.hex(),
        "institutions": made.addresses,
    }  # fmt: skip
    en = f"The network {plan.chain} of {len(plan.members)} is in {folder}. Run it: stoa network up --folder {folder}"
    ko = (
        f"{len(plan.members)}개 기관의 네트워크 {plan.chain}을(를) {folder}에 만들었습니다. "
        f"실행: stoa network up --folder {folder}"
    )
    common.done(answer, en, ko)
