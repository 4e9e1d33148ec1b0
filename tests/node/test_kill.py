"""A real node on a real disk, killed with SIGKILL under load at any moment: what it printed as final is there."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

from msgspec.structs import replace

from stoa.ledger.catalog import read_receipt
from stoa.ledger.genesis import Parameter
from stoa.ledger.governance.model import CHECKPOINT_BLOCKS
from stoa.node.found import found
from stoa.node.node import JOURNAL_FOLDER, STATE_FOLDER, Node, wall_clock
from stoa.node.verify import verify
from tests.ledger.hall import Hall
from tests.node.script import VALIDATOR

ROUNDS = 15
ROOT = Path(__file__).resolve().parents[2]
NODE = """
import sys, threading
from pathlib import Path
from stoa.ledger.catalog import Body, checked_body
from stoa.ledger.identity.register_party import RegisterParty
from stoa.node.node import Node, wall_clock
from stoa.wire.envelope import sign_body
from tests.ledger.hall import CHAIN, account, secret
from tests.node.script import VALIDATOR

node, base = Node(Path(sys.argv[1]), VALIDATOR), int(sys.argv[2])

def said(final):  # in one write, so that no line is half there
    lines = [f"{r.transaction.hex()} {r.height} {raw.hex()}" for r, raw in zip(final.receipts, final.block.receipts)]
    sys.stdout.write("".join(line + chr(10) for line in lines))
    sys.stdout.flush()

def load(lane):
    broker, number = account("BROKER-A"), node.next_sequence(account("BROKER-A"), lane)
    while True:
        act = RegisterParty(base + lane * 1_000_000 + number, False, "BROKER-A")
        body = checked_body(Body(CHAIN, broker, lane, number, wall_clock() + 60_000, (act,)))
        node.wait(node.submit(sign_body(body, [(broker, secret("BROKER-A"))])).transaction, 60)
        number += 1

node.listen(said)
node.start()
for lane in range(4):
    threading.Thread(target=load, args=(lane,), daemon=True).start()
threading.Event().wait()
"""


def test_killed_again_and_again(tmp_path: Path) -> None:
    often = (Parameter(CHECKPOINT_BLOCKS, 3),)
    found(tmp_path, replace(Hall(checked=False).genesis, time=wall_clock(), parameters=often))
    random, final = Random(1), dict[bytes, bytes]()
    for round_ in range(ROUNDS):
        final |= life(tmp_path, (round_ + 1) * 10_000_000, random)
        if round_ % 5 == 4:
            check(tmp_path, final)
    assert len(final) > ROUNDS
    assert all(read_receipt(raw).rejection is None for raw in final.values())


def life(folder: Path, base: int, random: Random) -> dict[bytes, bytes]:
    """Start a node, let it make some blocks, kill it. Returns the receipts that it said were final."""
    command = [sys.executable, "-c", NODE, str(folder), str(base)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout
        lines = [node.stdout.readline() for _ in range(random.randint(1, 12))]
        time.sleep(random.random() * 0.03)
        node.send_signal(signal.SIGKILL)
        lines += node.stdout.read().splitlines(keepends=True)
    whole = [line.split() for line in lines if line.endswith("\n")]
    return {bytes.fromhex(transaction): bytes.fromhex(raw) for transaction, _, raw in whole}


def check(folder: Path, final: dict[bytes, bytes]) -> None:
    """Open what the last kill left behind; compare it with what was said, and with a replay from genesis."""
    node = Node(folder, VALIDATOR)
    root = node.checkpoint().state_root
    kept = {receipt for block, _ in node.journal.replay() for receipt in block.receipts}
    assert kept.issuperset(final.values())
    assert node.journal.final == node.journal.height
    assert all(node.journal.certificate(height) for height in range(1, node.journal.height + 1))
    node.close()
    verified = verify(folder / JOURNAL_FOLDER, folder / STATE_FOLDER)
    assert verified.flaws == ()
    assert verified.state_root == root
