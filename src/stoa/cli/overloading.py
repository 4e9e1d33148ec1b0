"""``stoa bench overload``: more than the network bears, and how long until all is as before."""

from typing import Annotated

from cyclopts import Parameter

from stoa.cli.measuring import bench
from stoa.cli.shell import PLAIN, Common, Usage


@bench.command
def overload(
    *,
    seconds: Annotated[int, Parameter(help="How long more than the capacity is offered.")] = 30,
    times: Annotated[float, Parameter(help="How many times the capacity.")] = 2.0,
    probe_rate: Annotated[int, Parameter(help="To find the capacity: more a second than this machine can do.")] = 4_000,
    probe_seconds: Annotated[int, Parameter(help="How long that is offered.")] = 5,
    holders: Annotated[int, Parameter(help="Verified holders among whom transfers go.")] = 1_000,
    linger_ms: Annotated[int, Parameter(help="How long a batch waits for more.")] = 100,
    first_port: Annotated[int, Parameter(help="The first of ten ports for each validator.")] = 9_500,
    common: Common = PLAIN,
) -> None:
    """Offer five validators of this machine a multiple of what they bear: who is told to come back, what it costs in
    memory, and the seconds until submit to final is as before."""
    from dataclasses import asdict

    from stoa.bench.overload import Options, run
    from stoa.cli.shell import console

    if min(seconds, probe_rate, probe_seconds) < 1 or holders < 10 or times <= 0:
        raise Usage("counts and seconds are 1 or more, --holders 10 or more, --times above 0")
    options = Options(probe_rate, probe_seconds, times, seconds, holders, first_port, linger_ms)
    errors = console(stderr=True)
    figures = run(options, lambda part: errors.print(part, highlight=False, markup=False))
    common.fields({**figures._asdict(), "workload": asdict(options)}, "stoa bench overload")
