"""Founding a ledger: genesis becomes a journal, in a folder that was empty before."""

from pathlib import Path

from stoa.journal.journal import Journal
from stoa.ledger.genesis import Genesis, encode_genesis
from stoa.ledger.memory import MemoryFinal
from stoa.ledger.state import State
from stoa.node.node import JOURNAL_FOLDER
from stoa.node.recovery import found_state
from stoa.wire.block import Header


def found(folder: Path, genesis: Genesis) -> Header:
    """Write the genesis journal of a new ledger and return its first header. Raises Occupied if one is there."""
    document = encode_genesis(genesis)
    header, _ = found_state(State(MemoryFinal()), document)
    Journal.create(folder / JOURNAL_FOLDER, document, header).close()
    return header
