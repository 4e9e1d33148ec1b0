"""The door opens on a port of its own, closes at once whoever still listens, and a signal closes it too."""

import os
import signal
import threading
import time

import httpx
import pytest

from stoa.api.serve import CannotListen, Door, free_port, serve
from tests.api.house import House


def test_a_follower_does_not_hold_the_door_open(house: House) -> None:
    told = threading.Event()

    def follow(url: str) -> None:
        with httpx.stream("GET", f"{url}/v1/events?since=0") as stream:
            for line in stream.iter_lines():
                if line == "event: fact":
                    told.set()

    with Door(house.app(), free_port()) as door:
        thread = threading.Thread(target=follow, args=(door.url,))
        thread.start()
        assert told.wait(20)
        began = time.monotonic()
    thread.join(5)
    assert not thread.is_alive()
    assert time.monotonic() - began < 4


def test_two_doors_do_not_share_a_port(house: House) -> None:
    with Door(house.app(), free_port()) as door, pytest.raises(CannotListen):
        Door(house.app(), door.port).start()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_the_door(house: House, number: signal.Signals) -> None:
    port, answers = free_port(), []

    def visit() -> None:
        for _ in range(100):
            try:
                answers.append(httpx.get(f"http://127.0.0.1:{port}/health/live").status_code)
                break
            except httpx.ConnectError:
                time.sleep(0.1)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=visit)
    thread.start()
    serve(house.app(), port)
    thread.join()
    assert answers == [200]
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/health/live")
