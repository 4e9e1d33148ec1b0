"""``stoa demo``: the story is played on one machine's ledger or on a network of five, and what is left is served."""

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from stoa.cli.shell import PLAIN, Common, Trouble, Usage, app, console, write_json

if TYPE_CHECKING:
    from stoa.demo.dossier import Dossier
    from stoa.demo.ground import Ground
    from stoa.demo.stage import Stage

EXAMPLE: Final = Path(__file__).resolve().parents[3] / "examples" / "harbour-tower"
TERMINATED: Final = 128 + signal.SIGTERM


@app.command
def demo(
    *,
    files: Annotated[Path, Parameter(help="A folder of input files; by default the example Harbour Tower.")] = EXAMPLE,
    network: Annotated[
        bool, Parameter(negative="", help="Play it on five validators and five ordering servers; one fails on the way.")
    ] = False,
    keep: Annotated[Path | None, Parameter(help="Where to leave the ledger; by default it is removed.")] = None,
    exit: Annotated[bool, Parameter(negative="", help="End after the story instead of serving the console.")] = False,
    port: Annotated[int, Parameter(help="Of the console; on a network also the first of all ports.")] = 7080,
    common: Common = PLAIN,
) -> None:
    """Tell the whole life of one security on a real node, then serve its console and API until Ctrl-C."""
    import tempfile

    from stoa.demo.files import load
    from stoa.demo.reading import BadFile

    try:
        dossier = load(files)
    except BadFile as error:
        raise Usage(str(error), file=error.file, line=error.line, field=error.field) from None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # what was started is stopped then, too
    if keep is not None:
        if keep.is_dir() and any(keep.iterdir()):
            raise Usage(common.words(f"--keep {keep}: is not empty.", f"--keep {keep}: 비어 있지 않습니다."))
        _tell(_ground(keep, dossier, network, exit, port), exit, common)
        return
    with tempfile.TemporaryDirectory(prefix="stoa-demo-") as scratch:
        _tell(_ground(Path(scratch) / "ledger", dossier, network, exit, port), exit, common)


def _ground(folder: Path, dossier: "Dossier", network: bool, leave: bool, port: int) -> "Ground":
    """Where the story is played: nobody looks at the ports if it ends after it."""
    from stoa.api.serve import free_port
    from stoa.demo.ground import Ground
    from stoa.network.story.ground import Network
    from stoa.network.story.ports import free_runs, in_steps

    if not network:
        return Ground(folder, dossier, free_port() if leave else port)
    count = len(dossier.terms.validators)
    return Network(folder, dossier, free_runs(count) if leave else in_steps(port, count))


def _tell(ground: "Ground", leave: bool, common: Common) -> None:
    from stoa.api.serve import CannotListen
    from stoa.demo.ground import StageError
    from stoa.demo.play import play
    from stoa.demo.stage import Stage
    from stoa.demo.telling import Silence, Telling
    from stoa.network.programs import NoProgram
    from stoa.network.running import NotUp
    from stoa.node.links import CannotReach

    telling, terms = Telling(console(), common.tongue), ground.dossier.terms
    try:
        with Stage(ground) as stage:
            report = play(stage, Silence() if common.json else telling)
            if common.json:
                write_json(report)
            else:
                telling.end(report, {terms.currency: terms.decimals})
            if not report.ok:
                raise Trouble("not everything came out as expected")
            if not leave:
                _serve(stage, common)
    except CannotListen as error:
        raise Trouble(f"{error}: choose another with --port") from None
    except (StageError, NotUp, NoProgram, CannotReach) as error:
        raise Trouble(str(error)) from None


def _serve(stage: "Stage", common: Common) -> None:
    """Hold the stage open, its clock running, until Ctrl-C."""
    import threading

    from stoa.demo.cast import PASSPHRASE
    from stoa.demo.visitors import PASSWORD, admit

    names = ", ".join(admit(stage))
    stage.clock.run()
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    out = console(stderr=common.json)
    out.print(f"\n[bold]{stage.door.url}[/]  ({stage.door.url}/v1)", highlight=False)
    for name, url in stage.ground.consoles().items():
        out.print(f"{name:24} {url}", highlight=False)
    who = common.words("Sign in as one of", "다음 사용자로 로그인")
    out.print(f"{who}: {names}; {common.words('password', '비밀번호')} {PASSWORD}", highlight=False, soft_wrap=True)
    look = f"STOA_PASSPHRASE={PASSPHRASE} stoa query securities --folder {stage.folder}"
    out.print(common.words(f"In another terminal: {look}", f"다른 터미널에서: {look}"), highlight=False, soft_wrap=True)
    out.print(common.words("Ctrl-C stops it.", "Ctrl-C로 종료합니다."))
    while not asked.wait(1.0):
        if stage.node.failure:
            raise Trouble(stage.node.failure)
