"""Blocks as large as the members may vote for: alone, among several, and fetched by who was away."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from stoa.intake.gate import Accepted
from stoa.journal import Journal
from stoa.kernel.base import Instruction
from stoa.kernel.limits import MAX_TEXT
from stoa.ledger.governance.model import BATCH_BYTES, BATCH_LINGER_MS, BOUNDS
from stoa.ledger.identity.freeze_account import FreezeAccount
from stoa.node.node import Node
from stoa.node.verify import verify
from stoa.wire.block import Block
from tests.ledger.hall import account
from tests.node.house import House
from tests.node.several import PATIENCE, Several, until

MIB: Final = 1024 * 1024
ACTS, ENVELOPES = 20, 100  # of 3 KB each in an envelope of 60 KB
LARGEST: Final = {BATCH_BYTES: BOUNDS[BATCH_BYTES].high, BATCH_LINGER_MS: BOUNDS[BATCH_LINGER_MS].high}


def wordy() -> list[Instruction]:
    """Frozen and freed, at great length; in the end as before."""
    reason = "길" * MAX_TEXT
    return [FreezeAccount(account("kim"), number % 2 == 0, reason, bytes(32)) for number in range(ACTS)]


def submitted(node: Node, signed: Callable[[], bytes]) -> int:
    """All at once, to one node; the height at which the last one is final."""
    raws = [signed() for _ in range(ENVELOPES)]
    accepted = [node.submit(raw) for raw in raws]
    assert all(isinstance(one, Accepted) for one in accepted)
    assert isinstance(accepted[-1], Accepted)
    located = node.wait(accepted[-1].transaction, PATIENCE)
    assert located is not None, node.health()
    return located.height


def size(block: Block) -> int:
    return sum(map(len, block.envelopes))


def largest(journal: Journal, upto: int) -> Block:
    return max((block for block, _ in journal.replay(1, upto)), key=size)


def test_a_block_of_several_mebibytes_is_made_and_verified_by_one_alone(tmp_path: Path) -> None:
    house = House(tmp_path, **LARGEST)
    house.node.start()
    house.cash_for("kim")
    number = house.node.next_sequence(account("BROKER-A"), 0)
    numbers = iter(range(number, number + ENVELOPES))
    height = submitted(house.node, lambda: house.signed("BROKER-A", *wordy(), sequence=next(numbers)))
    block = largest(house.node.journal, height)
    assert size(block) > 4 * MIB
    house.node.close()
    assert verify(house.journal_folder, house.state_folder).flaws == ()


def test_a_block_of_several_mebibytes_is_made_by_several_and_fetched_whole(tmp_path: Path) -> None:
    several = Several(tmp_path, **LARGEST)
    try:
        several.money("kim", 100)
        several.level()
        several.stop("VENUE")
        height = submitted(several.nodes["KSD"], lambda: several.signed(*wordy()))
        block = largest(several.nodes["KSD"].journal, height)
        assert size(block) > 4 * MIB
        assert sum(map(len, block.receipts)) > size(block) // 2, "an answer has much more than a batch"
        several.level()
        several.log.batches[:] = [one._replace(batch=b"") for one in several.log.batches]  # only peers have it now
        several.start("VENUE")
        until(lambda: several.nodes["VENUE"].health().height >= height, several._standing)
        assert largest(several.nodes["VENUE"].journal, height) == block
    finally:
        several.close()
