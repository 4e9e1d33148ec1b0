"""``stoa bench``: benchmarks are commands, never timed tests."""

from typing import Annotated

from cyclopts import App, Parameter

from stoa.cli.shell import PLAIN, Common, Usage, app

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
