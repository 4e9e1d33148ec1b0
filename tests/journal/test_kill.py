"""A real process on a real disk, killed with SIGKILL while it writes: what it said was synced is there."""

import signal
import subprocess
import sys
from pathlib import Path

from stoa.journal import Journal, inspect
from tests.journal.blocks import AUTHORITY, GENESIS, GENESIS_HEADER

ROUNDS = 20
ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import sys
from pathlib import Path
from random import Random
from stoa.journal import Journal
from tests.journal.blocks import certificate_for, next_block, votes_for

journal, random = Journal.open(Path(sys.argv[1]), segment_bytes=60_000), Random(int(sys.argv[2]))
while True:
    block = next_block(journal.head, random, transactions=random.randint(0, 20), size=2_000)
    journal.append(block, votes_for(block.header))
    journal.sync()
    print(journal.height, flush=True)
    journal.certify(certificate_for(block.header))
"""


def test_killed_again_and_again(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    Journal.create(folder, GENESIS, GENESIS_HEADER).close()
    for round_ in range(ROUNDS):
        command = [sys.executable, "-c", WRITER, str(folder), str(round_)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout
            said = [int(writer.stdout.readline()) for _ in range(1 + round_ % 7)]
            writer.send_signal(signal.SIGKILL)
            said += [int(line) for line in writer.stdout.read().split()]
        with Journal.open(folder, readonly=True) as reader:
            assert reader.height >= said[-1]
    with Journal.open(folder) as journal:
        assert sum(1 for _ in journal.replay()) == journal.height
        assert journal.final >= journal.height - 1
    report = inspect(folder, AUTHORITY)
    assert report.ok, report.damages
    assert len(list(folder.glob("*.journal"))) > 1
