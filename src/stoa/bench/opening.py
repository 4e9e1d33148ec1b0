"""How a benchmark on one machine opens: in a folder of its own, with a ledger that was just founded for its market."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from stoa.bench.market import Market, genesis
from stoa.node.found import found
from stoa.node.node import wall_clock


class Opened(NamedTuple):
    """The market, and when its ledger was founded: milliseconds since 1970."""

    market: Market
    begun: int


@contextmanager
def ground(folder: str) -> Iterator[Path]:
    """The folder that was named, or, where none was, a temporary one that goes afterwards."""
    if folder:
        yield Path(folder)
        return
    with tempfile.TemporaryDirectory(prefix="stoa-bench-") as made:
        yield Path(made)


def open_market(folder: Path, traders: int, seed: int) -> Opened:
    """Found the ledger in an empty folder. Nothing is traded yet, and nobody is there."""
    begun = wall_clock()
    found(folder, genesis(begun))
    return Opened(Market(traders, begun, seed), begun)
