"""``stoa bench replay``: how fast a journal is executed again.

The bench's market makes a journal as ``stoa bench ledger`` does. It is then replayed twice from genesis into an empty
state store on the same disk: once checking every signature, once taking the signatures of certified blocks on the
validators' word. Both compare every receipt and every row with what the headers commit to.
"""

from contextlib import ExitStack, closing
from pathlib import Path
from time import perf_counter, process_time
from typing import Final, NamedTuple

from stoa.bench import ledger
from stoa.bench.opening import ground
from stoa.journal.journal import Journal
from stoa.ledger.state import State
from stoa.node.node import JOURNAL_FOLDER
from stoa.node.recovery import found_state
from stoa.node.replay import WORTH_PROCESSES, Replay, standing_at
from stoa.node.state_store import StateStore
from stoa.node.verifier import Verifier, default_processes

_VERIFYING: Final = "replayed-verifying"
_TRUSTING: Final = "replayed-trusting"


class Pace(NamedTuple):
    """One replay: its rate by the wall clock, and CPU of this process for one transaction."""

    transactions_per_second: int
    cpu_us: float


class Figures(NamedTuple):
    """What was measured. ``embedded_per_second`` is the rate at which the journal was made, ``bare_verify_us`` one bare
    verification of that time."""

    transactions: int
    blocks: int
    embedded_per_second: int
    bare_verify_us: float
    verifying: Pace
    trusting: Pace
    processes: int


def run(options: ledger.Options) -> Figures:
    """Make a journal, replay it twice, and return the figures."""
    with ground("") as folder:
        live = ledger.run_in(options, folder)
        processes = default_processes() if options.processes < 0 else options.processes
        with Journal.open(folder / JOURNAL_FOLDER, readonly=True) as journal:
            with Verifier(processes, WORTH_PROCESSES) as verifier:
                verifying = _pace(journal, folder / _VERIFYING, verifier)
            trusting = _pace(journal, folder / _TRUSTING, None)
            transactions = sum(journal.header(height).count for height in range(1, journal.height + 1))
            return Figures(
                transactions,
                journal.height,
                live.transfers_per_second,
                live.bare_verify_us,
                verifying,
                trusting,
                processes,
            )


def _pace(journal: Journal, folder: Path, verifier: Verifier | None) -> Pace:
    """Replay the whole journal into an empty store."""
    with ExitStack() as stack:
        store = stack.enter_context(closing(StateStore(folder)))
        view = State(store)
        header, writes = found_state(view, journal.genesis)
        store.write(writes.rows, standing_at(header, {}))
        view.finalised()
        transactions, wall, cpu = 0, perf_counter(), process_time()
        for made in Replay(view, store, header, {}).run(journal.replay(), verifier):
            transactions += made.count
        wall, cpu = perf_counter() - wall, process_time() - cpu
    return Pace(int(transactions / wall), round(cpu / transactions * 1e6, 1))
