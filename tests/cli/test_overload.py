"""``stoa bench overload`` on real validators: it ends, loses nothing, and says when all is as before."""

import json

import pytest

from tests.cli.test_commands import stoa
from tests.network.conftest import free_ports


def test_more_than_the_network_bears_is_offered_and_nothing_taken_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.network.conftest.PORTS", 50)
    monkeypatch.setattr("stoa.bench.overload.LIGHT_SECONDS", 2)
    first_port = str(free_ports(1)[0])
    given = ("--probe-rate", "50", "--probe-seconds", "2", "--seconds", "2", "--holders", "20", "--json")
    code, out, errors = stoa("bench", "overload", *given, "--first-port", first_port)
    assert code == 0, errors
    found = json.loads(out)
    assert found["offered"] > 50, "twice of what was found in the two seconds before"
    assert found["offered"] == found["final"] + found["busy"]
    assert (found["lost"], found["unanswered"], found["forks"]) == (0, 0, 0)
    assert found["seconds_until_normal"] >= 0, "the light load was final too"
    assert found["rss_most_mib"]["validator"] >= found["rss_before_mib"]["validator"] > 0


def test_wrong_options_are_named() -> None:
    code, _, errors = stoa("bench", "overload", "--times", "0")
    assert code == 2
    assert "--times above 0" in errors
