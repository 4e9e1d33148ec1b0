"""A validator that lies, as a real process among four honest ones, under the Byzantine quorum of 4 of 5.

Whatever it says, what is submitted elsewhere becomes final with one hash, and each honest gateway names it with what it
signed. What is not said (a batch or blocks withheld) leaves nothing signed behind, and nothing but its own silence.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stoa.custody.secret import Secret
from stoa.journal.journal import Journal
from stoa.kernel.codec import decoder
from stoa.ledger.genesis import read_genesis
from stoa.network.looking import ask_json
from stoa.network.programs import validator_command
from stoa.network.running import Running
from stoa.wire.batch import BatchHead, head_signed
from stoa.wire.vote import Certificate, Checkpoint, Vote, certificate_valid, checkpoint_valid, vote_valid
from tests.cli.test_commands import PASSPHRASE, answer, stoa
from tests.network import liar
from tests.network.conftest import written_example
from tests.network.test_five import register
from tests.network.test_processes import _alive, until

LIAR = "BROKER-A"  # the first in order of names: who needs blocks asks it first
LONG = 60.0
DEAF = ("OTC-MARKET", "SURVEILLANCE")  # honest, and the log brings them nothing for a while
QUORUM = 4
EVERY = 3  # blocks from one root over the state to the next


class Court:
    """The network, and what its honest members say of the liar."""

    def __init__(self, net: Running) -> None:
        self.net, self.chain = net, net.plan.chain
        self.honest = [one for one in net.here if one.code != LIAR]
        self._tokens = 0
        with Journal.open(net.folder / "PLATFORM" / "journal", readonly=True) as journal:
            self.keys = {one.institution: one.validator for one in read_genesis(journal.genesis).founders}

    def lie(self, *lines: str, who: str = LIAR) -> None:
        """From now on these lies; none: the truth."""
        (self.net.folder / who / liar.ASKED).write_text("\n".join(lines))

    def told(self, lie: str) -> int:
        """How often the lie was told."""
        path = self.net.folder / LIAR / liar.TOLD
        return path.read_text().split().count(lie) if path.exists() else 0

    def final(self) -> int:
        """Something is submitted to an honest member and becomes final: the height."""
        self._tokens += 1
        return int(register(self.net.folder, f"T{self._tokens}")["receipt"]["height"])

    def through_liar(self, seconds: int = 30) -> str:
        """Something is submitted to the liar: what is said of it after so many seconds at most."""
        self._tokens += 1
        form = {"tag": "identity.register_party.v1", "party": 1_000 + self._tokens, "entity": False, "keeper": LIAR}
        words = ("submit", "-", "--sign", LIAR, "--wait", str(seconds), "--json")
        _, out, _ = stoa(*words, folder=self.net.folder / LIAR, given=json.dumps(form).encode())
        return str(json.loads(out)["status"])

    def named(self, kind: str) -> list[dict[str, Any]]:
        """What each honest gateway shows of this kind against the liar; empty while one of them shows nothing."""
        found = []
        for one in self.honest:
            items = ask_json(one.port, "/v1/evidence")["items"]
            against = [item for item in items if (item["kind"], item["validator"]) == (kind, LIAR)]
            if not against:
                return []
            found += against
        return found

    def innocent(self) -> bool:
        """Whether no honest gateway accuses anybody but the liar."""
        accused = {item["validator"] for one in self.honest for item in ask_json(one.port, "/v1/evidence")["items"]}
        return accused <= {LIAR}

    def agreed(self, height: int, but: str = "") -> bool:
        """Whether the honest members, ``but`` one, stand at the height or beyond it with one hash."""
        said = [ask_json(one.port, "/health/ready") for one in self.honest if one.code != but]
        return len({one.get("block_hash") for one in said}) == 1 and all(
            one.get("height", -1) >= height for one in said
        )


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    scratch = tmp_path_factory.mktemp("liar")
    folder = scratch / "network"
    plan = written_example(scratch)
    text = plan.read_text("utf-8").replace('quorum = "majority"', 'quorum = "byzantine"')
    text, found = re.subn(r"^\[parameters\].*$", rf"\g<0>\ncheckpoint_blocks = {EVERY}", text, flags=re.M)
    assert found == 1
    plan.write_text(text, "utf-8")
    answer("network", "init", "--institutions", plan, folder=folder)

    def command(inner: Path) -> list[str]:
        if inner.name in (LIAR, *DEAF):
            return [sys.executable, str(Path(liar.__file__).resolve()), str(inner.resolve())]
        return validator_command(inner)

    net = Running(folder, validator=command)
    try:
        net.up(net.here, ("server", "validator"), Secret(PASSPHRASE))
        yield Court(net)
    finally:
        answer("network", "down", folder=folder)
        assert not _alive(folder)


def proof(item: dict[str, Any], kind: Any) -> Any:
    """What an accusation shows, as the type that it must be."""
    return decoder(kind).decode(bytes.fromhex(item["proof"]))


def test_two_votes_at_one_height_are_shown_with_both_signatures(court: Court) -> None:
    court.lie(liar.TWO_VOTES)
    height = court.final()
    assert until(lambda: court.agreed(height), LONG)
    assert until(lambda: bool(court.named("two_votes")), LONG)
    for item in court.named("two_votes"):
        one, two = proof(item, tuple[Vote, Vote])
        assert one.block_hash != two.block_hash
        assert (one.height, one.epoch, one.validator) == (two.height, two.epoch, LIAR)
        assert vote_valid(court.chain, one, court.keys)
        assert vote_valid(court.chain, two, court.keys)


def test_a_vote_for_a_wrong_root_is_shown_beside_the_certificate_of_the_four(court: Court) -> None:
    court.lie(liar.WRONG_ROOT)
    height = court.final()
    assert until(lambda: bool(court.named("dissent")), LONG)
    assert until(lambda: court.agreed(height), LONG)
    for item in court.named("dissent"):
        vote, certificate = proof(item, tuple[Vote, Certificate])
        assert vote.validator == LIAR
        assert vote_valid(court.chain, vote, court.keys)
        assert (vote.height, vote.epoch) == (certificate.height, certificate.epoch)
        assert vote.block_hash != certificate.block_hash
        assert certificate_valid(court.chain, certificate, court.keys, QUORUM)


def test_a_wrong_root_over_the_state_is_shown_beside_the_quorums(court: Court) -> None:
    court.lie(liar.WRONG_STATE)
    while court.final() % EVERY:
        continue
    assert until(lambda: bool(court.named("wrong_state")), LONG)
    for item in court.named("wrong_state"):
        false, true = proof(item, tuple[Checkpoint, Checkpoint])
        assert [vote.validator for vote in false.votes] == [LIAR]
        assert (false.height, false.block_hash) == (true.height, true.block_hash)
        assert false.state_root != true.state_root
        assert checkpoint_valid(court.chain, false, court.keys, 1)
        assert checkpoint_valid(court.chain, true, court.keys, QUORUM)


def test_two_batches_with_one_number_are_shown_with_both_signatures(court: Court) -> None:
    court.lie(liar.TWO_BATCHES)
    assert court.through_liar() == "final", "the first in the log counts"
    assert until(lambda: bool(court.named("two_batches")), LONG)
    for item in court.named("two_batches"):
        one, two = proof(item, tuple[BatchHead, BatchHead])
        assert (one.producer, one.number) == (two.producer, two.number)
        assert one.envelopes_root != two.envelopes_root
        assert head_signed(one, court.keys[LIAR])
        assert head_signed(two, court.keys[LIAR])
    assert until(lambda: court.agreed(court.final()), LONG)


def test_an_altered_batch_accuses_who_put_it_into_the_log_and_not_whom_it_names(court: Court) -> None:
    members = ask_json(court.honest[0].port, "/v1/network")["members"]
    following = 1 + next(one["batch"] for one in members if one["institution"] == "PLATFORM")
    court.lie(f"{liar.ALTERED_BATCH} PLATFORM {following}")
    assert court.through_liar() == "final"
    assert until(lambda: bool(court.named("bad_batch")), LONG)
    for item in court.named("bad_batch"):
        false = proof(item, BatchHead)
        assert (false.producer, false.number) == ("PLATFORM", following)
        assert not head_signed(false, court.keys["PLATFORM"])
    court.lie(liar.GARBAGE)
    assert court.through_liar() == "final"
    assert until(lambda: sum("right fields" in item["en"] for item in court.named("bad_batch")) == len(court.honest))
    court.lie()
    assert until(lambda: court.agreed(court.final()), LONG), "the name's owner goes on under the same number"


def test_what_the_liar_withholds_is_its_own_loss(court: Court) -> None:
    court.lie(liar.WITHHELD_BATCH)
    assert court.through_liar(1) == "accepted", "never final: a client sees that its gateway keeps nothing of its word"
    height = court.final()
    court.lie()
    assert until(lambda: court.agreed(height + 1), LONG), "told the truth again, it publishes what it kept back"


@pytest.mark.parametrize(("who", "lie"), [(DEAF[0], liar.ALTERED_BLOCKS), (DEAF[1], liar.WITHHELD_BLOCKS)])
def test_who_needs_blocks_does_not_take_the_liars_for_true(court: Court, who: str, lie: str) -> None:
    court.lie(liar.DEAF, who=who)
    court.lie(lie)
    height = max(court.final() for _ in range(2))
    assert until(lambda: court.agreed(height), LONG), "it asks the liar, and then another"
    assert court.told(lie)
    court.lie(who=who)


def test_nobody_else_was_accused_and_the_honest_are_of_one_mind(court: Court) -> None:
    court.lie()
    assert until(lambda: court.agreed(court.final()), LONG)
    assert court.innocent()
