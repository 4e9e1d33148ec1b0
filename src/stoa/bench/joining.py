"""``stoa bench joining``: a member's validator that has genesis alone comes to a network with many blocks.

It starts from the members' snapshot where that is far from genesis, else it fetches and executes every block. Owns the
measure: from the start of its process until it tells the height of the others, and whether it votes from then on.
Blocks are made small and many, since it is blocks that a snapshot saves. Does not own: the load, the processes.
"""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from stoa.bench.drills import levelled, nudge
from stoa.bench.faults import blocks, events
from stoa.bench.load import Measured
from stoa.bench.market import Market
from stoa.bench.site import Ground, Site, Told, by_gateway
from stoa.ledger.governance.model import BATCH_TRANSACTIONS, CHECKPOINT_BLOCKS
from stoa.node import snapshot
from stoa.node.node import SNAPSHOT_FOLDER

LEVEL_SECONDS: Final = 300.0
NUDGE_SECONDS: Final = 0.2
NUDGES: Final = 25  # blocks after it is level, in one of which it must have voted


@dataclass(frozen=True)
class Options:
    """What to run: transfers one by one, each a block of its own, at a rate that is bearable."""

    blocks: int = 6_000
    checkpoint_blocks: int = 1_000
    rate: int = 50
    holders: int = 20
    first_port: int = 9_500


class Figures(NamedTuple):
    """What was seen. ``joined_at`` is the height of the snapshot that it started from; 0: from genesis."""

    height: int  # of the others when it was started
    joined_at: int
    snapshot_bytes: int  # of the newest that the others kept; 0: none
    seconds_until_level: float  # from the start of its process; -1: it did not come so far
    voted: bool  # for a block after that
    blocks_per_second: float  # at which the others had made theirs
    lost: int
    forks: int
    bare_verify_us: float


def run(options: Options, told: Told) -> Figures:
    """Run it on a network of five that is founded for it; the last of them comes late."""
    parameters = ((BATCH_TRANSACTIONS, 1), (CHECKPOINT_BLOCKS, options.checkpoint_blocks))
    ground = Ground(first_port=options.first_port, linger_ms=1, parameters=parameters)
    with tempfile.TemporaryDirectory(prefix="stoa-bench-") as scratch, Site(ground, Path(scratch) / "network") as site:
        *steady, late = site.plan.codes
        told("founding and starting five ordering servers and four of five validators")
        site.start(steady)
        market = site.set_up(options.holders)
        told(f"{options.blocks:,} blocks")
        with site.load() as load:
            made = load.offer(by_gateway(market.transfers(options.blocks, 0), steady), options.rate)
        told(f"starting the fifth with genesis alone, at height {load.height:,}")
        return _joined(site, market, late, load.height, made)


def _joined(site: Site, market: Market, late: str, height: int, made: Measured) -> Figures:
    market.change_lane()
    site.bus(late)  # so that all that it tells is heard
    with site.load() as load:
        load.ask_level([late])
        start = time.monotonic()
        site.start_validator(late)
        level = levelled(load, market, site.plan.codes[0], [late], LEVEL_SECONDS, NUDGE_SECONDS)
        reached = load.height
        for _ in range(NUDGES if level else 0):
            nudge(load, market, site.plan.codes[0])
    lines = site.log(late).read_text(encoding="utf-8").splitlines()
    others = site.log(site.plan.codes[0]).read_text(encoding="utf-8").splitlines()
    newest = snapshot.newest(site.home(site.plan.codes[0]) / SNAPSHOT_FOLDER)
    return Figures(
        height=height,
        joined_at=next((one["height"] for one in events(lines, "joined")), 0),
        snapshot_bytes=newest[1] if newest else 0,
        seconds_until_level=round(level - start, 2) if level else -1.0,
        voted=any(block["height"] > reached and late in block["votes"] for block in blocks(others)),
        blocks_per_second=round(made.blocks / made.seconds, 1),
        lost=made.lost,
        forks=made.forks + load.forks,
        bare_verify_us=made.bare_verify_us,
    )
