"""The auditor finds what it is there to find: agreement is broken in one place at a time, and a universe shows it."""

from collections.abc import Callable
from typing import Any

import pytest

import stoa.agreement.core
import stoa.agreement.epochs
import stoa.agreement.shown
from stoa.agreement.core import Core
from stoa.agreement.effects import Keep
from tests.agreement.plan import plan_of
from tests.agreement.soak import UNDECIDED, failure, shrunk
from tests.agreement.universe import Universe
from tests.agreement.validator import Validator

pytestmark = pytest.mark.usefixtures("_toy")
FIRST = 50_000
Patch = pytest.MonkeyPatch


def votes_again(patch: Patch) -> None:
    """A validator votes for whatever it executes, whatever it voted for before."""
    honest = Core._vote

    def vote(self: Core, block_hash: bytes) -> Any:
        self._cast.clear()
        return honest(self, block_hash)

    patch.setattr(Core, "_vote", vote)


def forces_nothing(patch: Patch) -> None:
    """An epoch begins without a look at what may be final."""
    counted = stoa.agreement.epochs.forced_by

    def forced_by(*args: Any) -> bytes:
        counted(*args)
        return b""

    patch.setattr(stoa.agreement.core, "forced_by", forced_by)
    patch.setattr(stoa.agreement.epochs, "forced_by", forced_by)


def hides_votes(patch: Patch) -> None:
    """A promise does not say what was voted for."""
    patch.setattr(Core, "_standing_vote", lambda _: None)


def forgets_promises(patch: Patch) -> None:
    """A promise is told and not kept on disk."""
    patch.setattr(Validator, "_do_keeppromise", lambda *_: None)


def speaks_first(patch: Patch) -> None:
    """A vote is told before it is on disk."""
    keep = Validator._do_keep

    def _do_keep(self: Validator, effect: Keep) -> Any:
        if effect.vote is not None and self.honest:
            tail = self.core.tail
            assert tail is not None
            self.core.tail = tail._replace(kept=True)
            self._do_say(self.core._say())
        return keep(self, effect)

    patch.setattr(Validator, "_do_keep", _do_keep)


def holds_on(patch: Patch) -> None:
    """A block of the old epoch is held in the new one."""
    patch.setattr(Core, "_settle_tail", lambda self: self._agreed())


@pytest.mark.parametrize(
    ("wrong", "name", "seeds"),
    [
        (votes_again, "one_vote", 60),
        (forces_nothing, "agreement", 30),
        (hides_votes, "agreement", 30),
        (forgets_promises, "promise_kept", 30),
        (speaks_first, "kept_before_sent", 5),
        (holds_on, "liveness", 30),
    ],
)
def test_what_is_wrong_is_found(wrong: Callable[[Patch], None], name: str, seeds: int) -> None:
    with Patch.context() as patch:
        wrong(patch)
        assert name in {failure(plan_of(seed)) for seed in range(FIRST, FIRST + seeds)}


def test_a_failing_universe_is_shrunk_and_fails_alike(monkeypatch: Patch) -> None:
    forces_nothing(monkeypatch)
    failing = next(plan for seed in range(FIRST, FIRST + 30) if failure(plan := plan_of(seed)) not in ("", UNDECIDED))
    small = shrunk(failing)
    assert failure(small) == failure(failing)
    assert len(small.faults) + len(small.work) < len(failing.faults) + len(failing.work)
    monkeypatch.undo()
    # the signatures' patch is another one and still there
    assert Universe(small).run().auditor.height >= 0
