"""The signer: policy, dual control and limits hold through restarts, and everything is on record first."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stoa.custody import audit, policy
from stoa.custody.acts import Outcome, Pending, Refused, Signed
from stoa.custody.audit import AuditBroken
from stoa.custody.book import Intent
from stoa.custody.durable import Busy
from stoa.custody.keystore import Keystore
from stoa.custody.policy import Actor, Policy, Summary
from stoa.custody.signer import Signer
from stoa.kernel.identifiers import address
from stoa.kernel.time import DAY, from_date
from stoa.wire.envelope import read_envelope, signatures_valid, transaction_id

MIDNIGHT = from_date(2026, 11, 23)
NOON = MIDNIGHT - DAY // 2
RULES = """
[[grant]]
id = "small"
roles = ["investor"]
accounts = ["linked"]
instructions = ["settlement.*"]
limits = [{ asset = "TOWER", per_transaction = 100, per_day = 150 }]

[[grant]]
id = "large"
roles = ["investor", "officer"]
accounts = ["*"]
instructions = ["settlement.*"]
limits = [{ asset = "TOWER", per_transaction = 1000, per_day = 1500 }]
approvals = 2
approvers = ["officer"]
expires_after_s = 3600
"""


class Desk:
    """A signer with its users, and a way to stop and start it."""

    def __init__(self, keystore: Keystore, directory: Path) -> None:
        self.keystore, self.directory = keystore, directory
        self.account = keystore.generate("kim", NOON).account
        self.actors = {
            "kim": Actor("kim", ("investor",), (self.account,)),
            "ann": Actor("ann", ("officer",), ()),
            "bob": Actor("bob", ("officer",), ()),
            "eve": Actor("eve", ("clerk",), (self.account,)),
        }
        self.policy = policy.parse(RULES)
        self.signer = self.start()

    def start(self) -> Signer:
        return Signer(self.keystore, self.policy, self.directory, self.actors.get)

    def restart(self) -> None:
        self.signer.close()
        self.signer = self.start()

    def intent(self, units: int, body: bytes = b"", created: int = NOON) -> Intent:
        what = Summary("settlement.transfer.v1", self.account, "TOWER", units)
        return Intent(self.account, body or b"body %d" % units, (what,), created)


@pytest.fixture
def desk(keystore: Keystore, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(keystore, tmp_path / "audit")
    yield made
    made.signer.close()


def names(outcome: Outcome | None) -> list[str]:
    assert isinstance(outcome, Refused)
    return [reason.name for reason in outcome.refusals]


def actions(desk: Desk, day: int = NOON) -> list[tuple[str, str]]:
    return [(record.action, record.user) for record in audit.read(desk.directory, day)]


def test_an_allowed_intent_is_signed_and_on_record(desk: Desk) -> None:
    intent = desk.intent(100)
    outcome = desk.signer.authorise(intent, "kim", NOON)
    assert isinstance(outcome, Signed)
    envelope = read_envelope(outcome.envelope)
    assert envelope.body == intent.body
    assert signatures_valid(envelope)
    assert outcome.transaction == transaction_id(intent.body)
    (record,) = audit.read(desk.directory, NOON)
    assert (record.action, record.user, record.keys, record.grant) == ("signed", "kim", ("kim",), "small")
    assert record.transaction == outcome.transaction.hex()
    assert record.summaries == intent.summaries


def test_a_refusal_is_on_record_with_its_reasons(desk: Desk) -> None:
    intent = desk.intent(2_000)
    assert names(desk.signer.authorise(intent, "kim", NOON)) == ["OverTransactionLimit", "OverDailyLimit"]
    assert names(desk.signer.authorise(intent, "eve", NOON)) == ["NoGrant"]
    assert names(desk.signer.authorise(intent, "zoe", NOON)) == ["UnknownUser"]
    assert actions(desk) == [("refused", "kim"), ("refused", "eve"), ("refused", "zoe")]
    assert "limit of one transaction is 1000" in audit.read(desk.directory, NOON)[0].refusals[0]


def test_explaining_leaves_no_trace(desk: Desk) -> None:
    assert [one.name for one in desk.signer.explain(desk.intent(1), "eve", NOON)] == ["NoGrant"]
    assert desk.signer.explain(desk.intent(1), "kim", NOON) == ()
    assert desk.signer.head[0] == 0


def test_the_same_transaction_counts_once(desk: Desk) -> None:
    first = desk.signer.authorise(desk.intent(100), "kim", NOON)
    desk.restart()
    again = desk.signer.authorise(desk.intent(100), "kim", NOON)
    assert isinstance(first, Signed)
    assert again == first
    assert isinstance(desk.signer.authorise(desk.intent(50), "kim", NOON), Signed)
    assert isinstance(desk.signer.authorise(desk.intent(1), "kim", NOON), Pending)  # the day's 150 are used
    desk.actors.pop("kim")
    assert names(desk.signer.authorise(desk.intent(100), "kim", NOON)) == ["UnknownUser"]


def test_a_daily_limit_ends_at_midnight_and_survives_a_restart(desk: Desk) -> None:
    late = MIDNIGHT - 1
    for units in (100, 50):
        assert isinstance(desk.signer.authorise(desk.intent(units, created=late), "kim", late), Signed)
    desk.restart()
    over = desk.intent(10, created=late)
    assert isinstance(desk.signer.authorise(over, "kim", late), Pending)
    assert desk.signer.decline(transaction_id(over.body), "kim", late) is None
    tomorrow = desk.intent(100, b"tomorrow", created=late)
    assert isinstance(desk.signer.authorise(tomorrow, "kim", MIDNIGHT), Signed)
    # a clock that is set back gives no second helping of yesterday, nor loses what today has used
    assert isinstance(desk.signer.authorise(desk.intent(51, created=NOON), "kim", NOON), Pending | Refused)


def test_dual_control_takes_two_others(desk: Desk) -> None:
    intent = desk.intent(500)
    pending = desk.signer.authorise(intent, "kim", NOON)
    assert isinstance(pending, Pending)
    assert pending.needed == 2
    assert pending.expires == NOON + 3_600_000
    name = pending.transaction
    assert desk.signer.authorise(intent, "kim", NOON) == pending
    assert names(desk.signer.approve(name, "kim", NOON)) == ["NotApprover", "OwnIntent"]
    assert names(desk.signer.approve(name, "eve", NOON)) == ["NotApprover"]
    assert names(desk.signer.approve(name, "zoe", NOON)) == ["UnknownUser"]
    halfway = desk.signer.approve(name, "ann", NOON)
    assert isinstance(halfway, Pending)
    assert halfway.approvals == ("ann",)
    assert names(desk.signer.approve(name, "ann", NOON)) == ["AlreadyApproved"]
    desk.restart()
    assert [waiting.approvals for waiting in desk.signer.pending(NOON)] == [("ann",)]
    signed = desk.signer.approve(name, "bob", NOON)
    assert isinstance(signed, Signed)
    assert read_envelope(signed.envelope).body == intent.body
    assert desk.signer.pending(NOON) == ()
    assert names(desk.signer.approve(name, "bob", NOON)) == ["NotPending"]


def test_an_approver_does_not_approve_his_own_intent(desk: Desk) -> None:
    pending = desk.signer.authorise(desk.intent(500), "ann", NOON)
    assert isinstance(pending, Pending)
    assert names(desk.signer.approve(pending.transaction, "ann", NOON)) == ["OwnIntent"]


def test_a_pending_intent_expires(desk: Desk) -> None:
    pending = desk.signer.authorise(desk.intent(500), "kim", NOON)
    assert isinstance(pending, Pending)
    assert isinstance(desk.signer.approve(pending.transaction, "ann", pending.expires), Pending)
    assert names(desk.signer.approve(pending.transaction, "bob", pending.expires + 1)) == ["NotPending"]
    assert ("expired", "kim") in actions(desk)
    desk.restart()
    assert desk.signer.pending(NOON) == ()


def test_the_last_approval_judges_anew(desk: Desk) -> None:
    """The limit was used up while the intent waited; and a policy that no longer grants is obeyed."""
    waiting = [desk.signer.authorise(desk.intent(units), "kim", NOON) for units in (900, 800)]
    first, second = (one.transaction for one in waiting)
    for name in (first, second):
        desk.signer.approve(name, "ann", NOON)
    assert isinstance(desk.signer.approve(first, "bob", NOON), Signed)
    assert names(desk.signer.approve(second, "bob", NOON)) == ["OverDailyLimit"]
    third = desk.signer.authorise(desk.intent(200), "kim", NOON).transaction
    desk.signer.approve(third, "ann", NOON)
    desk.actors["kim"] = Actor("kim", ("former",), ())
    assert names(desk.signer.approve(third, "bob", NOON)) == ["NoGrant"]
    assert desk.signer.pending(NOON) == ()


def test_a_former_officers_approval_counts_no_more(desk: Desk) -> None:
    name = desk.signer.authorise(desk.intent(500), "kim", NOON).transaction
    desk.signer.approve(name, "ann", NOON)
    desk.actors["ann"] = Actor("ann", (), ())
    assert isinstance(desk.signer.approve(name, "bob", NOON), Pending)
    desk.actors["cat"] = Actor("cat", ("officer",), ())
    assert isinstance(desk.signer.approve(name, "cat", NOON), Signed)


def test_declining(desk: Desk) -> None:
    name = desk.signer.authorise(desk.intent(500), "kim", NOON).transaction
    assert names(desk.signer.decline(name, "eve", NOON)) == ["NotApprover"]
    assert names(desk.signer.decline(name, "zoe", NOON)) == ["UnknownUser"]
    assert desk.signer.decline(name, "ann", NOON) is None
    assert names(desk.signer.approve(name, "bob", NOON)) == ["NotPending"]
    assert names(desk.signer.decline(name, "kim", NOON)) == ["NotPending"]


def test_a_retired_key_signs_nothing(desk: Desk) -> None:
    assert isinstance(desk.signer.authorise(desk.intent(1), "kim", NOON), Signed)
    desk.keystore.retire("kim")
    assert names(desk.signer.authorise(desk.intent(2), "kim", NOON)) == ["NoKey"]
    assert names(desk.signer.authorise(desk.intent(1), "kim", NOON)) == ["NoKey"]


def test_an_account_of_several_keys_is_signed_with_all_that_the_policy_names(desk: Desk) -> None:
    desk.keystore.generate_all(["board-1", "board-2"], NOON)
    board = b"\7" * 20
    desk.actors["kim"] = Actor("kim", ("investor",), (board,))
    desk.policy = Policy(desk.policy.grant, {address(board): ("board-1", "board-2")})
    desk.restart()
    what = (Summary("settlement.transfer.v1", board, "TOWER", 1),)
    outcome = desk.signer.authorise(Intent(board, b"body", what, NOON), "kim", NOON)
    assert isinstance(outcome, Signed)
    keys = {key.name: key.public for key in desk.keystore.listing()}
    signatures = read_envelope(outcome.envelope).signatures
    assert [one.key for one in signatures] == [keys["board-1"], keys["board-2"]]
    desk.keystore.retire("board-2")
    again = Intent(board, b"other", what, NOON)
    assert names(desk.signer.authorise(again, "kim", NOON)) == ["NoKey"]


def test_the_queue_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stoa.custody.signer.MAX_PENDING", 1)
    assert isinstance(desk.signer.authorise(desk.intent(500), "kim", NOON), Pending)
    assert names(desk.signer.authorise(desk.intent(501), "kim", NOON)) == ["TooManyPending"]


def test_an_intent_describes_what_it_is(desk: Desk) -> None:
    with pytest.raises(ValueError, match="1 to 64"):
        Intent(desk.account, b"body", (), NOON)


def test_nothing_is_given_out_that_is_not_on_record(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(desk.signer.authorise(desk.intent(1), "kim", NOON), Signed)

    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", broken)
        with pytest.raises(OSError, match="Input/output"):
            desk.signer.authorise(desk.intent(2), "kim", NOON)
    with pytest.raises(AuditBroken):
        desk.signer.authorise(desk.intent(3), "kim", NOON)
    desk.signer = desk.start()
    assert isinstance(desk.signer.authorise(desk.intent(3), "kim", NOON), Signed)
    audit.verify(desk.directory, desk.signer.head)


def test_one_signer_at_a_time(desk: Desk) -> None:
    with pytest.raises(Busy):
        desk.start()


def test_days_have_files_of_their_own_in_one_chain(desk: Desk) -> None:
    for day in range(4):
        now = NOON + day * DAY
        desk.signer.authorise(desk.intent(1, b"day %d" % day, created=now), "kim", now)
        desk.restart()
    assert len(list(desk.directory.glob("audit-*.jsonl"))) == 4
    assert audit.verify(desk.directory, desk.signer.head) == 4
    assert actions(desk, NOON + 2 * DAY) == [("signed", "kim")]


Damage = Callable[[list[bytes]], list[bytes]]


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: [*lines[:1], *lines[2:]],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [lines[0], lines[0], *lines[1:]],
        lambda lines: [lines[0].replace(b"kim", b"eve"), *lines[1:]],
        lambda lines: [lines[0], lines[1].replace(b'"units"', b'"units" '), b"{}\n"],
        lambda lines: [*lines[:-1], lines[-1].replace(b"signed", b"sighed")],
    ],
)
def test_a_broken_chain_is_found(desk: Desk, damage: Damage) -> None:
    for units in (1, 2, 3):
        desk.signer.authorise(desk.intent(units), "kim", NOON)
    desk.signer.close()
    (path,) = desk.directory.glob("audit-*.jsonl")
    assert audit.verify(desk.directory) == 3
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(damage(lines)))
    with pytest.raises(AuditBroken, match=r"audit-2026-11-22.jsonl"):
        audit.verify(desk.directory)
    with pytest.raises(AuditBroken):
        desk.start()
    path.write_bytes(b"".join(lines))
    desk.signer = desk.start()


def test_a_cut_off_end_shows_against_a_noted_head(desk: Desk) -> None:
    for units in (1, 2):
        desk.signer.authorise(desk.intent(units), "kim", NOON)
    head = desk.signer.head
    desk.signer.authorise(desk.intent(3), "kim", NOON)
    assert audit.verify(desk.directory, head) == 3
    (path,) = desk.directory.glob("audit-*.jsonl")
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    assert audit.verify(desk.directory) == 1
    with pytest.raises(AuditBroken, match="noted earlier"):
        audit.verify(desk.directory, head)


@pytest.mark.parametrize("kept", [1, 100, -1])
def test_a_torn_last_line_is_dropped(desk: Desk, kept: int) -> None:
    for units in (1, 2):
        desk.signer.authorise(desk.intent(units), "kim", NOON)
    desk.signer.close()
    (path,) = desk.directory.glob("audit-*.jsonl")
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second[:kept])
    desk.signer = desk.start()
    assert desk.signer.head[0] == 1
    assert isinstance(desk.signer.authorise(desk.intent(2), "kim", NOON), Signed)
    assert audit.verify(desk.directory, desk.signer.head) == 2
