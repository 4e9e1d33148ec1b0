"""The log of final blocks: every root begins every later one, and no other history can be passed off as this one."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from stoa.kernel import merkle
from stoa.node import history
from stoa.node.history import History, Tree
from stoa.node.proofs import NothingToProve
from stoa.wire.history import LogHead, LogRoot, check_extends, check_head
from stoa.wire.proof import BadProof
from stoa.wire.vote import Certificate
from tests.ledger.hall import public
from tests.node.house import House
from tests.node.several import Several

BLOCKS = 7


def grown(folder: Path, first: int) -> House:
    """A closed house with parties from a number on: another number is another history."""
    house = House(folder)
    house.node.start()
    for number in range(first, first + BLOCKS):
        house.party(number)
    return house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = grown(tmp_path_factory.mktemp("house"), 1)
    yield made
    made.node.close()


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The same validator with the same key: a ledger that was written anew."""
    made = grown(tmp_path_factory.mktemp("forged"), 2)
    yield made
    made.node.close()


@pytest.fixture
def log(house: House) -> History:
    return house.node.history


def root_at(house: House, height: int) -> LogRoot:
    """What somebody kept at that height, worked out from the journal alone."""
    hashes = [merkle.leaf_hash(house.node.journal.header(at).hash()) for at in range(1, height + 1)]
    return LogRoot(house.chain, height, merkle.root_of_hashes(hashes))


def checked(house: House, head: LogHead) -> LogRoot:
    keys, quorum = house.node.members()
    return check_head(head, house.node.history.inclusion(head.size, head.size), keys, quorum)


def test_every_log_begins_every_later_one(house: House, log: History) -> None:
    assert checked(house, log.head()) == root_at(house, BLOCKS)
    for second in range(1, BLOCKS + 1):
        for first in range(1, second + 1):
            check_extends(root_at(house, first), root_at(house, second), log.consistency(first, second))


def test_every_block_is_in_every_later_log(house: House, log: History) -> None:
    for size in range(1, BLOCKS + 1):
        root = root_at(house, size).root
        for height in range(1, size + 1):
            leaf = merkle.leaf_hash(house.node.journal.header(height).hash())
            assert merkle.verify_inclusion(leaf, height - 1, size, log.inclusion(height, size), root)


def test_a_history_that_was_written_anew_is_refused(house: House, forged: House) -> None:
    """Signed by the validator itself, and consistent in itself: only the root that was kept gives it away."""
    kept, today = root_at(house, 3), checked(forged, forged.node.history.head())
    for path in (forged.node.history.consistency(3, BLOCKS), house.node.history.consistency(3, BLOCKS), ()):
        with pytest.raises(BadProof, match="does not extend the one of block 3"):
            check_extends(kept, today, path)


def test_a_ledger_that_lost_blocks_or_is_another_is_refused(house: House) -> None:
    early, late = root_at(house, 3), root_at(house, BLOCKS)
    with pytest.raises(BadProof, match=f"had {BLOCKS} blocks, and shows 3"):
        check_extends(late, early, ())
    with pytest.raises(BadProof, match="of other, this ledger is test"):
        check_extends(replace(early, chain="other"), late, house.node.history.consistency(3, BLOCKS))


def test_no_part_of_a_head_can_be_changed(house: House, forged: House, log: History) -> None:
    head, other = log.head(), forged.node.history.head()
    (vote,) = head.votes
    wrong = [
        (replace(head, chain="other"), "the certificate lacks"),
        (replace(head, certificate=other.certificate), "for another block"),
        (replace(head, size=BLOCKS - 1), "for another block"),
        (replace(head, certificate=Certificate(BLOCKS, head.block_hash, ())), "the certificate lacks"),
        (replace(head, root=other.root), "the log's root lacks"),
        (replace(head, votes=()), "the log's root lacks"),
        (replace(head, votes=head.certificate.votes), "the log's root lacks"),
        (replace(head, votes=(replace(vote, validator="FSS"),)), "the log's root lacks"),
    ]
    for spoiled, why in wrong:
        with pytest.raises(BadProof, match=why):
            checked(house, spoiled)
    with pytest.raises(BadProof, match="the last block's path"):
        check_head(head, forged.node.history.inclusion(BLOCKS, BLOCKS), *house.node.members())
    with pytest.raises(BadProof, match="the certificate lacks"):
        check_head(head, (), {"KSD": public("somebody else")}, 1)


def test_what_is_not_there_is_not_shown(house: House, log: History, monkeypatch: pytest.MonkeyPatch) -> None:
    for first, second in ((0, 3), (4, 3), (1, BLOCKS + 1)):
        with pytest.raises(NothingToProve):
            log.consistency(first, second)
        with pytest.raises(NothingToProve):
            log.inclusion(first, second)
    monkeypatch.setattr(history, "MAX_LOG_BLOCKS", BLOCKS - 1)
    with pytest.raises(NothingToProve, match="beyond the 6"):
        log.head()


def test_a_ledger_of_genesis_alone_has_no_head_and_a_growing_one_goes_on(running_log: House) -> None:
    log = running_log.node.history
    with pytest.raises(NothingToProve, match="no block has a certificate"):
        log.head()
    roots = []
    for number in range(3):
        running_log.party(number)
        roots.append(checked(running_log, log.head()))
    for before, after in pairwise(roots):
        check_extends(before, after, log.consistency(before.height, after.height))


@pytest.mark.parametrize("size", [*range(1, 34), 1_000])
def test_the_root_from_whole_subtrees_is_that_of_all_leaves(size: int) -> None:
    leaves = [merkle.leaf_hash(bytes([number % 256])) for number in range(size + 3)]
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    assert tree.root(size) == merkle.root_of_hashes(leaves[:size])


@pytest.fixture
def several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Several]:
    monkeypatch.setattr(history, "MOST_AT_ONCE", 3)
    monkeypatch.setattr(history, "PATIENCE_SECONDS", 2.0)
    made = Several(tmp_path)
    yield made
    made.close()


def test_a_head_carries_the_signatures_of_a_quorum(several: Several, monkeypatch: pytest.MonkeyPatch) -> None:
    several.blocks(BLOCKS)
    several.level()
    node = several.nodes["KSD"]
    keys, quorum = node.members()
    head = node.history.head()
    assert quorum == 3
    assert len(head.votes) >= quorum
    root = check_head(head, node.history.inclusion(head.size, head.size), keys, quorum)
    with pytest.raises(BadProof, match="the log's root lacks 3"):
        check_head(replace(head, votes=head.votes[:2]), node.history.inclusion(head.size, head.size), keys, quorum)
    for name in ("BROKER-A", "VENUE"):
        several.stop(name)
    several.blocks(2, through="KSD")
    several.level()
    later = node.history.head()
    assert [vote.validator for vote in later.votes] == ["BROKER-B", "FSS", "KSD"]
    today = check_head(later, node.history.inclusion(later.size, later.size), keys, quorum)
    check_extends(root, today, node.history.consistency(root.height, today.height))
    several.stop("FSS")
    with pytest.raises(NothingToProve, match=f"2 of 3 validators signed the log of block {later.size}"):
        node.history.head()


def test_one_that_shows_another_history_gets_no_signature_of_the_others(several: Several) -> None:
    """Who rewrote its own journal's past signs its root alone, and a holder sees that it is alone."""
    several.blocks(BLOCKS)
    several.level()
    node = several.nodes["KSD"]
    keys, quorum = node.members()
    node.history.head()
    node.history._tree = Tree()
    for number in range(node.journal.final):
        node.history._tree.append(merkle.leaf_hash(bytes([number])))
    with pytest.raises(NothingToProve, match="1 of 3 validators signed"):
        node.history.head()
    alone = node.history.shown(node.chain, node.journal.final)
    assert alone is not None
    with pytest.raises(BadProof, match="the log's root lacks 3"):
        check_head(alone, (), keys, quorum)
    honest = several.nodes["FSS"].history.head()
    assert "KSD" not in [vote.validator for vote in honest.votes]
    assert several.nodes["FSS"].history.shown("other", 1) is None
    assert several.nodes["FSS"].history.shown(node.chain, node.journal.final + 1) is None


@pytest.fixture
def running_log(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    made.node.start()
    yield made
    made.node.close()
