"""Golden bytes: the story's envelopes, receipts, rows, headers and votes are what they were when they were recorded.

A difference means that an old journal would read, hash or execute otherwise: it must be meant. Re-record with
``STOA_RECORD_GOLDEN=1 python -m pytest tests/golden`` and read the difference before it is committed.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stoa.kernel.codec import encode
from stoa.ledger import machine
from stoa.ledger.catalog import read_body, read_receipt
from stoa.ledger.genesis import apply_genesis, read_genesis
from stoa.ledger.memory import MemoryFinal
from stoa.ledger.state import State
from stoa.wire.envelope import read_envelope, signatures_valid
from stoa.wire.forms import to_form
from tests.golden.story import Chronicle, told
from tests.ledger.hall import CHAIN

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RECORD = "STOA_RECORD_GOLDEN"


@pytest.fixture(scope="module")
def story() -> Chronicle:
    return told()


def test_every_byte_is_as_recorded(story: Chronicle) -> None:
    golden = HERE / "story.json"
    text = json.dumps(story.blocks, indent=1, ensure_ascii=False) + "\n"
    if os.environ.get(RECORD):
        golden.write_text(text, encoding="utf-8")
    recorded = json.loads(golden.read_text(encoding="utf-8"))
    for was, now in zip(recorded, story.blocks, strict=True):
        height = was["header"]["height"]
        for part in was:
            assert json.loads(json.dumps(now[part])) == was[part], f"block {height}: {part}; see {RECORD} in this file"


def test_the_recorded_bytes_are_read_back(story: Chronicle) -> None:
    """What is on record is canonical and means what stands beside it, without executing anything."""
    for block in json.loads((HERE / "story.json").read_text(encoding="utf-8")):
        for transaction in block["transactions"]:
            envelope = read_envelope(bytes.fromhex(transaction["envelope"]))
            assert signatures_valid(envelope)
            assert to_form(read_body(envelope.body)) == transaction["body"]
        for receipt in block["receipts"]:
            raw = receipt.pop("bytes")
            assert to_form(read_receipt(bytes.fromhex(raw))) == receipt


def test_the_story_does_not_depend_on_how_python_hashes(story: Chronicle) -> None:
    """Two processes with other hash seeds give every block and every write set the same hash."""
    told_elsewhere = []
    for seed in ("1", "4242"):
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
        }
        command = [sys.executable, "-m", "tests.golden.story"]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        told_elsewhere.append(done.stdout.splitlines())
    here = [f"{b['header']['height']} {b['hash']} {b['header']['writes_hash']}" for b in story.blocks]
    assert told_elsewhere == [here, here]


def test_a_ledger_that_remembers_nothing_between_blocks_writes_the_same(story: Chronicle) -> None:
    """Kept rows, plans and compiled rules are for speed alone: a new state for every block changes no byte."""
    final = MemoryFinal()
    for block in story.blocks:
        view, header = State(final), block["header"]
        if "genesis" in block:
            apply_genesis(view, read_genesis(bytes.fromhex(block["genesis"])))
            receipts = []
        else:
            envelopes = [bytes.fromhex(transaction["envelope"]) for transaction in block["transactions"]]
            place = machine.Place(CHAIN, header["height"], header["time"])
            receipts = machine.execute_block(view, place, envelopes)
        writes = view.seal()
        assert writes.hash.hex() == header["writes_hash"]
        assert [encode(receipt).hex() for receipt in receipts] == [receipt["bytes"] for receipt in block["receipts"]]
        final.write(writes)
