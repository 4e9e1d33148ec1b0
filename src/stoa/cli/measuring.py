"""``stoa bench``: benchmarks are commands, never timed tests."""

from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter

from stoa.cli.shell import PLAIN, Common, Usage, app

RATES: Final = "1,10,100,250,500,1000,2500,5000"
DRILLS: Final = (
    "validator-killed,validator-paused,leader-killed,two-down,three-down,disk-full,fsync-failed,slow-fsync,"
    "state-corrupted,state-row-changed,journal-corrupted,log-store-corrupted,clock-skewed"
)

bench = App(name="bench", help="Measure this machine.")
app.command(bench)


@bench.command
def ledger(
    *,
    transfers: Annotated[int, Parameter(help="Transfers to time.")] = 10_000,
    holders: Annotated[int, Parameter(help="Verified holders among whom they go.")] = 1_000,
    holdings: Annotated[int, Parameter(help="Further lines of the register, written beforehand.")] = 0,
    refused_share: Annotated[float, Parameter(help="Share built to be refused.")] = 0.02,
    batch: Annotated[int, Parameter(help="Transactions of a batch.")] = 2_000,
    processes: Annotated[int, Parameter(help="Verifying processes; -1: one for each core but one.")] = -1,
    fsync_delay_ms: Annotated[float, Parameter(help="Added to each sync of the journal.")] = 0.0,
    seed: int = 1,
    common: Common = PLAIN,
) -> None:
    """Durable, signed, compliance-checked transfers a second, beside a bare verification in the same run."""
    from dataclasses import asdict

    from stoa.bench.ledger import Options, run

    if not 0 <= refused_share <= 1 or min(transfers, holders, batch) < 1 or holdings < 0:
        raise Usage("--refused-share lies between 0 and 1, counts are 1 or more")
    per_mille = round(refused_share * 1_000)
    options = Options(transfers, holders, holdings, per_mille, batch, processes, fsync_delay_ms, seed)
    figures = run(options)
    common.fields({**figures._asdict(), "workload": asdict(options)}, "stoa bench ledger")


@bench.command
def network(
    *,
    validators: Annotated[int, Parameter(help="Validators, each with an ordering server: 5 to 7.")] = 5,
    rate: Annotated[int, Parameter(help="Transfers offered a second, by all gateways together.")] = 1_000,
    seconds: Annotated[int, Parameter(help="How long they are offered.")] = 10,
    holders: Annotated[int, Parameter(help="Verified holders among whom they go.")] = 1_000,
    refused_share: Annotated[float, Parameter(help="Share built to be refused.")] = 0.02,
    fsync_delay_ms: Annotated[float, Parameter(help="Added to each sync of every journal.")] = 0.0,
    paused: Annotated[int, Parameter(help="Validators that stand still during the load.")] = 0,
    late: Annotated[int, Parameter(help="Validators that start from genesis in its middle.")] = 0,
    hot: Annotated[bool, Parameter(negative="", help="Every transfer touches one account.")] = False,
    byzantine: Annotated[bool, Parameter(negative="", help="More than two thirds must vote.")] = False,
    reference: Annotated[
        bool, Parameter(negative="", help="The rate is one of a machine whose bare verification takes 30 us.")
    ] = False,
    linger_ms: Annotated[int, Parameter(help="How long a batch waits for more.")] = 100,
    first_port: Annotated[int, Parameter(help="The first of ten ports for each validator.")] = 9_500,
    common: Common = PLAIN,
) -> None:
    """Final transfers a second by several validators on this machine, under an open load, and their latency."""
    from dataclasses import asdict

    from stoa.bench.network import Options, run
    from stoa.bench.site import MAX_VALIDATORS, MIN_VALIDATORS

    if not MIN_VALIDATORS <= validators <= MAX_VALIDATORS or min(rate, seconds, holders) < 1:
        raise Usage(f"--validators lies between {MIN_VALIDATORS} and {MAX_VALIDATORS}, counts are 1 or more")
    if not 0 <= refused_share <= 1 or paused + late >= validators or min(paused, late) < 0:
        raise Usage("--refused-share lies between 0 and 1; --paused and --late leave at least one validator")
    options = Options(
        validators, rate, seconds, holders, round(refused_share * 1_000), fsync_delay_ms, paused, late, hot,
        first_port, linger_ms, byzantine, reference,
    )  # fmt: skip
    figures = run(options)
    common.fields({**figures._asdict(), "workload": asdict(options)}, "stoa bench network")


@bench.command
def poc(
    *,
    folder_out: Annotated[Path, Parameter(help="Where the report's files go.")] = Path("poc"),
    rates: Annotated[str, Parameter(help="Transfers a second, one step after another.")] = RATES,
    seconds: Annotated[int, Parameter(help="How long each rate is offered; 0: no steps.")] = 10,
    sustained: Annotated[int, Parameter(help="Seconds of the load that lasts; 0: none.")] = 120,
    sustained_rate: Annotated[int, Parameter(help="Its transfers a second.")] = 1_000,
    drills: Annotated[str, Parameter(help="Faults to try, by name.")] = DRILLS,
    drill_seconds: Annotated[int, Parameter(help="Seconds of load around each fault; 0: no faults.")] = 20,
    drill_rate: Annotated[int, Parameter(help="Transfers a second meanwhile.")] = 100,
    holders: Annotated[int, Parameter(help="Verified holders among whom they go.")] = 1_000,
    fsync_delay_ms: Annotated[float, Parameter(help="Added to each sync of every journal.")] = 0.0,
    linger_ms: Annotated[int, Parameter(help="How long a batch waits for more.")] = 100,
    first_port: Annotated[int, Parameter(help="The first of ten ports for each validator.")] = 9_500,
    common: Common = PLAIN,
) -> None:
    """The test plan of the proof of concept of 2016 on five validators of this machine: rates, a lasting load, faults.

    Writes report.html, report.json, table.md and transfers.csv.
    """
    from stoa.bench.poc import Options, run
    from stoa.bench.poc_report import PAGE, rows
    from stoa.cli.shell import console

    steps, faults = tuple(_rate(one) for one in rates.split(",")), tuple(drills.split(","))
    if min(seconds, sustained, drill_seconds) < 0 or min(sustained_rate, drill_rate, holders) < 1:
        raise Usage("seconds are 0 or more, rates and --holders 1 or more")
    if unknown := set(faults) - set(DRILLS.split(",")):
        raise Usage(f"--drills are some of {DRILLS}, not {', '.join(sorted(unknown))}")
    options = Options(
        steps, seconds, sustained, sustained_rate, faults, drill_seconds, drill_rate, holders,
        fsync_delay_ms=fsync_delay_ms, first_port=first_port, linger_ms=linger_ms,
    )  # fmt: skip
    errors = console(stderr=True)
    report = run(options, folder_out, lambda part: errors.print(part, highlight=False, markup=False))
    found = dict(rows(report)) | {"report": str(folder_out / PAGE)}
    common.answer(report, lambda _: common.fields(found, "stoa bench poc"))


def _rate(word: str) -> int:
    if not word.strip().isdecimal() or int(word) < 1:
        raise Usage(f"--rates are whole numbers of 1 or more, with commas between them, not {word!r}")
    return int(word)


@bench.command
def joining(
    *,
    blocks: Annotated[int, Parameter(help="Blocks that the others have made, one transfer in each.")] = 6_000,
    checkpoint_blocks: Annotated[int, Parameter(help="Every so many blocks a snapshot is kept.")] = 1_000,
    rate: Annotated[int, Parameter(help="Transfers offered a second while they are made.")] = 50,
    holders: Annotated[int, Parameter(help="Verified holders among whom they go.")] = 20,
    first_port: Annotated[int, Parameter(help="The first of ten ports for each validator.")] = 9_500,
    common: Common = PLAIN,
) -> None:
    """How long a validator with genesis alone takes until it is level with the others and votes."""
    from dataclasses import asdict

    from stoa.bench.joining import Options, run
    from stoa.cli.shell import console

    if min(blocks, rate) < 1 or holders < 4 or checkpoint_blocks < 0:
        raise Usage("--blocks and --rate are 1 or more, --holders 4 or more, --checkpoint-blocks 0 or more")
    options, errors = Options(blocks, checkpoint_blocks, rate, holders, first_port), console(stderr=True)
    figures = run(options, lambda part: errors.print(part, highlight=False, markup=False))
    common.fields({**figures._asdict(), "workload": asdict(options)}, "stoa bench joining")


@bench.command
def distribution(
    *,
    holders: Annotated[int, Parameter(help="Holders to be paid.")] = 100_000,
    traffic: Annotated[int, Parameter(help="Transfers a second of other people meanwhile.")] = 500,
    seed: int = 1,
    common: Common = PLAIN,
) -> None:
    """Income for a crowd on a real node, and how long other people's transfers take meanwhile."""
    from dataclasses import asdict

    from stoa.bench.distribution import Options, run

    if holders < 1 or traffic < 0:
        raise Usage("--holders is 1 or more, --traffic is 0 or more")
    options = Options(holders, traffic, seed)
    common.fields({**run(options)._asdict(), "workload": asdict(options)}, "stoa bench distribution")


@bench.command
def replay(
    *,
    transfers: Annotated[int, Parameter(help="Transfers in the journal that is replayed.")] = 20_000,
    holders: Annotated[int, Parameter(help="Verified holders among whom they go.")] = 1_000,
    batch: Annotated[int, Parameter(help="Transactions of a batch.")] = 2_000,
    processes: Annotated[int, Parameter(help="Verifying processes; -1: one for each core but one.")] = -1,
    seed: int = 1,
    common: Common = PLAIN,
) -> None:
    """A journal executed again from genesis: once checking every signature, once trusting its certificates."""
    from stoa.bench.ledger import Options
    from stoa.bench.replay import run

    if min(transfers, holders, batch) < 1:
        raise Usage("counts are 1 or more")
    figures = run(Options(transfers, holders, batch=batch, processes=processes, seed=seed))
    paces = {"verifying": figures.verifying._asdict(), "trusting": figures.trusting._asdict()}
    common.fields({**figures._asdict(), **paces}, "stoa bench replay")
