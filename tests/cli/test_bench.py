"""``stoa bench network`` and ``stoa bench poc`` on real validators and servers, at rates that any machine bears."""

import csv
import json
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoa.bench import network, poc
from stoa.bench.growth import Sample, growth
from stoa.bench.plots import Axis, Series, number, plot
from stoa.bench.poc_report import Report, table
from stoa.bench.reference import rate_here, rate_there
from stoa.bench.schedule import Schedule
from stoa.cli import measuring
from tests.cli.test_commands import answer, stoa
from tests.network.conftest import free_ports

VOID = {"meta", "br"}
ASKING = ("src", "srcset", "data", "poster", "action")  # attributes by which a page asks for something


class _Page(HTMLParser):
    """Whether elements are closed in order, what they are, and what the page would ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.asks: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.asks += [f"{tag} {name}" for name, _ in attrs if name in ASKING or (tag == "link" and name == "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def first_port(monkeypatch: pytest.MonkeyPatch) -> str:
    """The first of fifty ports that nobody listens on."""
    monkeypatch.setattr("tests.network.conftest.PORTS", 50)
    return str(free_ports(1)[0])


def test_a_network_is_measured_and_says_where_its_time_goes(first_port: str, caplog: pytest.LogCaptureFixture) -> None:
    given = ("--rate", "20", "--seconds", "2", "--holders", "20", "--first-port", first_port, "--json")
    code, out, errors = stoa("bench", "network", *given)
    assert code == 0, errors
    assert not [one for one in caplog.messages if "eof_received" in one], "a server that stops is nobody's trouble"
    few = json.loads(out)
    assert (few["lost"], few["unanswered"], few["forks"], few["rejected"]) == (0, 0, 0, 0)
    assert few["caught_up"]
    assert few["blocks"]
    assert few["final_per_second"] > 0
    assert {"gate", "admit", "execute", "hash", "sync", "vote", "final", "bus"} <= few["stage_us"].keys()
    assert all(few["stage_us"][stage] > 0 for stage in ("gate", "execute", "sync", "bus"))
    assert few["disk_bytes"]["journal"] > 0
    assert min(few["rss_mb"].values()) > 1
    assert len(few["rss_mb"]) == 5
    assert few["block_interval_ms"]["p95"] >= few["block_interval_ms"]["p50"] > 0
    assert few["cpu_us_all"] > 5 * few["cpu_us_per_transfer_and_node"]
    spent = few["bare_verifications_per_transfer"] * few["bare_verify_us"]
    assert spent == pytest.approx(few["cpu_us_all"], rel=0.01)
    assert few["machine_verifications_per_second"] > 0.2e6 / few["bare_verify_us"], (
        "of all cores, with nothing else to do"
    )


def test_a_validator_with_genesis_alone_joins_and_votes(first_port: str) -> None:
    given = ("--blocks", "12", "--checkpoint-blocks", "5", "--first-port", first_port)
    few = answer("bench", "joining", *given)
    assert few["height"] > 12
    assert few["joined_at"] == 0, "so few blocks are fetched and executed"
    assert few["snapshot_bytes"] > 0
    assert few["seconds_until_level"] > 0
    assert few["voted"]
    assert (few["lost"], few["forks"]) == (0, 0)


def test_a_rate_of_the_budgets_is_one_of_this_machine() -> None:
    """A transfer is left as many bare verifications' time here as there."""
    assert [rate_here(4_000, us) for us in (15.0, 30.0, 60.0)] == [8_000, 4_000, 2_000]
    assert rate_there(rate_here(4_000, 48.0), 48.0) == 4_000
    assert rate_here(1, 1e9) == 1


def test_what_is_due_follows_the_rate_and_nothing_else() -> None:
    rates = [10.0]
    plan = Schedule(lambda: rates[-1], 100.0, 4.0)
    assert plan.until(99.0, 9) == [], "it has not begun"
    assert plan.until(100.25, 9) == pytest.approx([100.0, 100.1, 100.2])
    rates.append(2.0)
    assert plan.until(101.25, 9) == pytest.approx([100.5, 101.0]), "two and a half transfers had passed, and two more"
    assert plan.until(101.25, 9) == [], "no time has passed"
    rates.append(100.0)
    assert plan.until(102.0, 3) == pytest.approx([101.255, 101.265, 101.275], abs=1e-6)
    assert not plan.over
    assert len(plan.until(200.0, 1_000)) == 272, "what was too much before, and all up to the end"
    assert plan.over


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.5, 5_000)), max_size=20))
def test_transfers_are_due_in_order_and_as_many_as_the_rates_say(passes: list[tuple[float, float]]) -> None:
    rate, now, expected, times = 1.0, 0.0, 0.0, list[float]()
    plan = Schedule(lambda: rate, now)
    for seconds, rate in passes:
        now, expected = now + seconds, expected + seconds * rate
        times += plan.until(now, 1_000_000)
    assert times == sorted(times)
    assert all(0 <= one <= now + 1e-6 for one in times)
    assert abs(len(times) - expected) <= 1.001


def test_a_load_by_reference_lasts_its_time(first_port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many transfers are due as bare verifications of this machine have time for."""
    monkeypatch.setattr(network, "WARM_RATE", 20)
    monkeypatch.setattr(network, "WARM_SECONDS", 1)
    few = answer(
        "bench",
        "network",
        "--rate",
        "60",
        "--seconds",
        "3",
        "--reference",
        "--holders",
        "20",
        "--first-port",
        first_port,
    )
    assert (few["lost"], few["unanswered"], few["forks"], few["rejected"]) == (0, 0, 0, 0)
    assert few["final_per_second_at_30_us"] == pytest.approx(60, rel=0.4)


def test_the_proof_of_concept_is_repeated_and_reported(tmp_path: Path, first_port: str) -> None:
    folder = tmp_path / "poc"
    given = ("--folder-out", folder, "--rates", "5,20", "--seconds", "1", "--sustained", "2", "--sustained-rate", "20")
    drill = ("--drills", "validator-killed", "--drill-seconds", "3", "--drill-rate", "10")
    told = answer("bench", "poc", *given, *drill, "--holders", "20", "--first-port", first_port)
    report = msgspec.json.decode((folder / "report.json").read_bytes(), type=Report)
    assert [step["rate"] for step in told["steps"]] == [step.rate for step in report.steps] == [5, 20]
    assert all(step.figures["lost"] == 0 and step.points for step in report.steps)
    with (folder / "transfers.csv").open(encoding="utf-8") as file:
        parts = [row["part"] for row in csv.DictReader(file)]
    assert (parts.count("rate"), parts.count("sustained")) == (25, 40), "each transfer with its time"
    assert report.lasting is not None
    assert report.lasting.growth.processor_limit > 0
    assert len(report.lasting.samples) > 1
    (recovery,) = report.recoveries
    assert recovery.ok, recovery
    assert recovery.level_ms > 0
    assert recovery.final == recovery.offered == 30
    assert (folder / "table.md").read_text("utf-8") == table(report)
    page = _Page()
    page.feed((folder / "report.html").read_text("utf-8"))
    assert (page.open, page.asks) == ([], [])
    assert page.seen.count("svg") >= 9
    assert page.seen.count("table") == 4
    assert "script" not in page.seen


def test_bench_refuses_what_it_cannot_run() -> None:
    assert stoa("bench", "network", "--validators", "4")[0] == 2
    assert stoa("bench", "poc", "--rates", "10,fast")[0] == 2
    assert stoa("bench", "poc", "--rates", "0")[0] == 2
    code, _, errors = stoa("bench", "poc", "--drills", "fire")
    assert code == 2
    assert "three-down" in errors, "it says which there are"


def test_what_the_command_offers_is_the_plan() -> None:
    """The command's defaults are written out, since the benchmark itself is imported only when it runs."""
    assert tuple(int(rate) for rate in measuring.RATES.split(",")) == poc.RATES
    assert tuple(measuring.DRILLS.split(",")) == poc.Options().drills


def test_growth_is_of_the_later_half_and_says_when_it_is_full(tmp_path: Path) -> None:
    early = [Sample(at, {"journal": 9_000, "state": 0, "log": 0}, 100, 50) for at in range(4)]
    late = [Sample(at, {"journal": 1_000 * at, "state": 500 * at, "log": 7}, 2_000, 50) for at in range(4, 8)]
    found = growth([*early, *late], tmp_path, 5, 100.0, 400.0)
    assert found.disk_bytes_per_second == {"journal": 1_000.0, "state": 500.0, "log": 0.0}
    assert found.disk_bytes_per_transfer == 15.0
    assert found.disk_full_days_alone == pytest.approx(found.disk_free_bytes / 1_500 / 86_400, rel=0.01)
    assert found.memory_full_hours is None, "nothing grows"
    assert found.processor_limit % 2_500 == 0


def test_a_plot_draws_every_point_and_escapes_every_word() -> None:
    drawn = plot("<b>", Axis("x", True), Axis("y"), [Series("<i>", [(1, 2), (10, 0)]), Series("b", [(100, 5)], 2)])
    assert drawn.count("<circle") == 3
    assert "<b>" not in drawn
    assert "<i>" not in drawn
    assert plot("nothing", Axis("x"), Axis("y"), [Series("a", [])]) == ""
    assert [number(one) for one in (0, 0.01234, 99.99, 12_345.6)] == ["0", "0.0123", "100", "12,346"]
