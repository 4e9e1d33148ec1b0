"""The whole loop on a disk that loses what was not synced: what was reported final is there, and nothing in part.

The real journal, recovery and commit loop run on a simulated disk, a simulated state store and an engine at its worst.
One integer gives one history: which script, where each crash falls, and what it leaves. A failing seed is printed.
"""

import os
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from stoa.journal import DiskFull, Fatal, Journal, NotNext, inspect
from stoa.journal.flaws import Authority
from stoa.ledger.memory import MemoryFinal
from stoa.ledger.state import State
from stoa.node.commit import Commit
from stoa.node.epoch_file import Epochs
from stoa.node.finality import Finality
from stoa.node.quiet import Quiet
from stoa.node.recovery import belongs, bring_up, found_state
from stoa.node.replay import standing_at
from stoa.node.round import Round, resumed
from stoa.ordering.engine import LogFull
from stoa.wire.block import Block
from stoa.wire.vote import Certificate
from tests.journal.simulated_disk import PowerCut, SimulatedDisk
from tests.ledger.hall import CHAIN, public
from tests.node.script import VALIDATOR, Script, ordered, root_of, script
from tests.node.simulated_store import SimulatedStore
from tests.ordering.simulated import SimulatedEngine

FOLDER = Path("journal")
SEGMENT_BYTES = 5_000  # a few blocks, so that crashes fall between segments too
SCRIPTS = 5
SEEDS = 800
GROUPS = 8
PUBLISHED = 0.4  # chance at each glance at the log that the batch is published again
LIVES = 3  # crashes in one history
KEYS = {VALIDATOR.institution: public("KSD votes")}


class World:
    """One machine through its crashes, the script it is given, and what it said was final."""

    def __init__(self, seed: int, played: Script) -> None:
        self.script, self.random = played, Random(seed)
        self.disk = SimulatedDisk(seed)
        self.store = SimulatedStore(self.disk)
        self.engine = SimulatedEngine(lambda: self.now, seed, capacity=4)
        self.now = 0
        self.reported: list[tuple[Block, Certificate]] = []
        header, _ = found_state(State(MemoryFinal()), played.genesis)
        Journal.create(FOLDER, played.genesis, header, self.disk, SEGMENT_BYTES).close()

    def start(self) -> Commit:
        """A new process: everything that a node does before it takes anything in."""
        journal = Journal.open(FOLDER, self.disk, segment_bytes=SEGMENT_BYTES)
        standing = self.store.standing()
        if standing is not None and not belongs(standing, journal):
            self.store.remove()
        view, standing = bring_up(self.store, journal)
        commit = Commit(view, self.store, journal, journal.header(standing.height), standing)
        core = resumed(commit, journal, Finality(CHAIN, VALIDATOR).signer(), Epochs())
        self.quiet = Quiet()
        self.round = Round(core, commit, self.quiet, lambda _: None)
        self.round.start()
        journal.sync()
        return commit

    def live(self) -> None:
        """One process, from its start until the script has ended or the power goes."""
        commit = self.start()
        self.hold(commit)
        self.engine, position = self.engine.restart(), 0
        while commit.head.height < len(self.script.batches):
            played = self.script.batches[commit.head.height]
            self.now = played.time
            if self.random.random() < PUBLISHED:
                with suppress(LogFull):
                    self.engine.publish(played.raw)
            while found := self.engine.read(position, 0.0):
                position = found.position
                self.quiet.finals.clear()
                self.round.ordered(found)
                self.reported += [(final.block, final.certificate) for final in self.quiet.finals]

    def crash(self) -> None:
        """The power goes, or the process alone."""
        if self.random.random() < 0.7:
            self.disk.power_cut()
        else:
            self.disk.process_killed()
        self.store.crash()

    def hold(self, commit: Commit) -> None:
        """Compare all that is there with what was reported, and with the script."""
        journal, height = commit.journal, commit.head.height
        assert height == journal.height == journal.final >= len(self.reported)
        there = [(block, certificate) for block, certificate in journal.replay() if certificate is not None]
        assert len(there) == height
        assert there[: len(self.reported)] == self.reported
        for (block, _), played in zip(there, self.script.batches, strict=False):
            assert (block.envelopes, block.receipts) == (played.envelopes, played.receipts)
            assert block.header.time == played.time
        self.reported = there  # what became durable just before a crash counts from now on
        assert root_of(self.store) == (self.script.batches[height - 1].root if height else self.script.root)


def history(seed: int) -> None:
    """Several lives on one machine, the last one undisturbed."""
    world = World(seed, script(seed % SCRIPTS))
    for _ in range(LIVES):
        world.disk.cut_in = world.random.randint(0, 80)
        if world.random.random() < 0.2:
            world.disk.fail_sync_in = world.random.randint(0, 15)
        with suppress(PowerCut, Fatal):
            world.live()
        world.crash()
    world.live()
    assert len(world.reported) == len(world.script.batches)
    report = inspect(FOLDER, Authority(KEYS, KEYS, 1), disk=world.disk)
    assert report.certificates == report.blocks == len(world.script.batches)
    assert report.ok, report.damages


@pytest.mark.parametrize("group", range(GROUPS))
def test_after_any_crash_all_that_was_final_is_there(group: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(group, SEEDS, GROUPS):
        monkeypatch.setattr(os, "urandom", Random(seed).randbytes)  # the markers of segments
        try:
            history(seed)
        except BaseException as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error


def test_a_crash_at_every_single_operation() -> None:
    """Between any two steps of a few blocks: within a write, before a sync, in the state store."""
    played = script(0)
    short = played._replace(batches=played.batches[:4])
    quiet = World(0, short)
    quiet.live()
    begun = World(0, short).disk.operations
    assert quiet.disk.operations - begun > 25
    for operation in range(quiet.disk.operations - begun):
        for seed in range(6):
            world = World(seed, short)
            world.engine = SimulatedEngine(lambda: short.batches[0].time, 0)
            world.disk.cut_in = operation
            with suppress(PowerCut):
                world.live()
            world.crash()
            world.live()
            assert len(world.reported) == len(short.batches), f"operation {operation}, seed {seed}"


def test_a_failed_sync_is_fatal_to_the_loop_and_nothing_reported_is_lost() -> None:
    for syncs in range(12):
        world = World(syncs, script(1))
        world.disk.fail_sync_in = syncs
        with pytest.raises(Fatal, match="Input/output error"):
            world.live()
        world.crash()
        world.live()
        assert len(world.reported) == len(world.script.batches)


def test_a_loop_whose_sync_failed_makes_no_further_block() -> None:
    world = World(0, script(0))
    commit = world.start()
    world.disk.fail_sync_in = 0
    with pytest.raises(Fatal):
        world.round.ordered(ordered(world.script.batches[0], 1))
    world.disk.fail_sync_in = None
    with pytest.raises((Fatal, NotNext)):
        commit.keep(None)
    assert (commit.head.height, world.store.standing()) == (0, standing_at(commit.head, {}))


@pytest.mark.parametrize("room", range(0, 8_000, 500))
def test_a_full_disk_is_a_clear_error_and_loses_nothing(room: int) -> None:
    world = World(room, script(2))
    world.disk.capacity = sum(len(inode.cached) for inode in world.disk.cached_names.values()) + room
    with pytest.raises(DiskFull, match="no room on the disk"):
        world.live()
    reported = len(world.reported)
    world.disk.capacity = None
    world.crash()
    world.live()
    assert len(world.reported) == len(world.script.batches) > reported
