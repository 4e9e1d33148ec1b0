"""The bulk door's answers, where the gate's room comes and goes within one message."""

from types import SimpleNamespace
from typing import Any, cast

from stoa.api.bulk import BulkDoor
from stoa.intake.gate import Accepted, Busy
from stoa.kernel.codec import encode
from stoa.wire.bulk import Submission, read_verdict


def test_what_follows_a_busy_one_does_not_overtake_it() -> None:
    """Room appears between two envelopes of one sender: a real gate does that only by chance, so outcomes are given."""
    outcomes = iter([Accepted(b"1"), Busy(50_000, 250), Accepted(b"3"), Accepted(b"4")])
    served: list[Any] = []
    bus = SimpleNamespace(serve=lambda _, answerer: served.append(answerer))
    node = SimpleNamespace(
        chain="hall", validator=SimpleNamespace(institution="BROKER"), listen=lambda _: None,
        submit=lambda _: next(outcomes),
    )  # fmt: skip
    BulkDoor(cast(Any, bus), cast(Any, node))
    busy = Busy(0, 0).code
    verdict = read_verdict(served[0]("", encode(Submission((b"1", b"2", b"3")))))
    assert (verdict.codes, verdict.retry_ms) == ((0, busy, busy), 250)
    assert read_verdict(served[0]("", encode(Submission((b"2",))))).codes == (0,)
