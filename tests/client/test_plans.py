"""What a client does when the API is busy, out of reach, or comes back: decided in plans, and carried out for real."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from stoa.api.serve import Door, free_port
from stoa.client import Client, Key, NotFinal, ProblemError, Unreachable
from stoa.client.plans import MAX_ATTEMPTS, Answer, Ask, Pause, Plan, ask, ask_once
from tests.api.house import House
from tests.client.conftest import Street
from tests.ledger.hall import secret, send

PARK = Key(secret("park"))
REQUEST = Ask("GET", "/x")


def carried_out(plan: Plan[bytes], answers: Iterator[Answer]) -> tuple[bytes, list[Ask | Pause]]:
    """What the plan returns when it gets these answers, and its steps. Pauses take no time."""
    steps: list[Ask | Pause] = []
    try:
        step = next(plan)
        while True:
            steps.append(step)
            step = plan.send(Answer(0, b"") if isinstance(step, Pause) else next(answers))
    except StopIteration as done:
        return done.value, steps


def test_the_same_is_asked_again_until_there_is_an_answer() -> None:
    answers = iter([Answer(503, b"", 2.0), Answer(0, b"reset"), Answer(429, b""), Answer(200, b"here")])
    body, steps = carried_out(ask(REQUEST), answers)
    assert body == b"here"
    assert [step for step in steps if isinstance(step, Ask)] == [REQUEST] * 4
    pauses = [step.seconds for step in steps if isinstance(step, Pause)]
    assert pauses == [2.0, 0.2, 0.4]  # as long as the API says, else longer each time


def test_a_refusal_is_not_asked_again() -> None:
    with pytest.raises(ProblemError, match="404"):
        carried_out(ask(REQUEST), iter([Answer(404, b'{"status":404}')]))


def test_asking_ends_some_time() -> None:
    with pytest.raises(Unreachable, match="reset"):
        carried_out(ask(REQUEST), iter([Answer(0, b"reset")] * MAX_ATTEMPTS))


def test_what_must_not_happen_twice_is_asked_once() -> None:
    with pytest.raises(Unreachable, match="reset"):
        carried_out(ask_once(REQUEST), iter([Answer(0, b"reset"), Answer(200, b"late")]))


def test_a_busy_gate_is_waited_for(street: Street, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.submit(send("park", "kim", 1), PARK, lane=20)
    monkeypatch.setattr(street.house.node.gate, "_capacity", 0)
    threading.Timer(0.5, monkeypatch.undo).start()
    busy = street.house.node.gate.counted["Busy"]
    assert client.submit(send("park", "kim", 1), PARK, lane=20).applied
    assert street.house.node.gate.counted["Busy"] > busy


def test_accepted_and_not_final_in_time_says_which_transaction(client: Client, street: Street) -> None:
    with pytest.raises(NotFinal) as caught:
        client.submit(send("park", "kim", 1), PARK, lane=21, wait=0)
    assert street.house.node.wait(caught.value.transaction, 10) is not None


def test_a_feed_and_a_submission_outlive_the_server(street: Street) -> None:
    house: House = street.house
    port = free_port()
    with Door(house.app(), port), Client(f"http://127.0.0.1:{port}") as client:
        told = client.events(since=0)
        before = list(islice(told, 3))
        raw = house.signed("park", send("park", "kim", 1), lane=22)
        assert client.send(raw).applied
    reopened = Door(house.app(), port)
    threading.Timer(0.5, reopened.start).start()
    with Client(f"http://127.0.0.1:{port}") as client:
        assert client.send(raw).applied  # the same bytes again: asked until somebody answers, and happened once
    follower = Client(f"http://127.0.0.1:{port}").events(after=before[-1].cursor)
    after = list(islice(follower, 3))
    cursors = [fact.cursor for fact in (*before, *after)]
    assert cursors == [fact.cursor for fact in islice(Client(street.url).events(since=0), 6)]
    reopened.stop()


def until(done: Callable[[], bool]) -> None:
    """Wait a moment for something that another thread is about to do."""
    for _ in range(500):
        if done():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


def test_one_iteration_goes_on_over_a_break(street: Street) -> None:
    house, port, app = street.house, free_port(), street.house.app()
    heard: list[str] = []
    told = Client(f"http://127.0.0.1:{port}").events()
    with Door(app, port):
        thread = threading.Thread(target=lambda: heard.extend(fact.transaction for fact in islice(told, 2)))
        thread.start()
        until(lambda: app.state.feed.subscribers == 1)
        first = house.do("park", send("park", "kim", 1))
        until(lambda: app.state.feed.height >= first.height)
    second = house.do("park", send("park", "kim", 1))  # while nobody listens
    with Door(house.app(), port):
        thread.join(10)
    assert heard == [first.transaction.hex(), second.transaction.hex()]
