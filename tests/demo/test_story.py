"""The whole story, told by the command, twice at once under two hash seeds; what came out is compared with paper."""

import json
from typing import Any

import pytest

from stoa.demo.files import load
from stoa.kernel.money import largest_remainder
from tests.demo.golden import FILE, ROOT, label, outcome, start, summary

Report = dict[str, Any]
SECONDARY = {
    "AccountUnknown", "NotIdentified", "ClaimExpired", "ClaimRevoked", "CountryNotOpen", "RuleFailed:US-144-HOLD",
    "RuleFailed:HBT-HOLDER-CAP", "RuleFailed:HBT-MAX-HOLDING", "RuleFailed:KR-OTC-8", "UnitsFrozen",
    "InsufficientFreeUnits",
}  # fmt: skip


@pytest.fixture(scope="module")
def reports() -> tuple[Report, Report]:
    """The story under PYTHONHASHSEED 1 and 2."""
    running = [start(1), start(2)]
    first, second = [outcome(process) for process in running]
    return first, second


def test_every_step_comes_out_as_expected(reports: tuple[Report, Report]) -> None:
    wrong = [step for step in reports[0]["steps"] if not step["ok"]]
    assert not wrong
    assert reports[0]["ok"]
    assert [chapter["number"] for chapter in reports[0]["chapters"]] == [1, 2, 3, 4, 5, 6, 7]


def test_two_hash_seeds_give_the_same_story(reports: tuple[Report, Report]) -> None:
    first, second = reports
    assert first == second


def test_the_outcome_is_the_golden_one(reports: tuple[Report, Report]) -> None:
    assert summary(reports[0]) == json.loads(FILE.read_text(encoding="utf-8")), "see tests/demo/golden.py"


def test_every_kind_of_secondary_refusal_is_shown(reports: tuple[Report, Report]) -> None:
    steps = [step for step in reports[0]["steps"] if step["chapter"] == 4 and step["kind"] == "refused"]
    gravest = {label(step["reasons"][0]) for step in steps}
    assert gravest >= SECONDARY
    for step in steps:
        assert step["receipts"][0]["code"] == step["reasons"][0]["code"]


def test_an_ineligible_subscription_is_refused_with_all_reasons(reports: tuple[Report, Report]) -> None:
    refused = [step for step in reports[0]["steps"] if step["chapter"] == 3 and len(step["reasons"]) > 2]
    assert [len(step["reasons"]) for step in refused] == [3, 4]


def test_incomplete_securities_cannot_be_created(reports: tuple[Report, Report]) -> None:
    found = {step["reasons"][0]["name"] for step in reports[0]["steps"] if step["chapter"] == 1 and step["reasons"]}
    assert found == {
        "OfferingDocumentMissing", "IssuerDetailsMissing", "ComplianceStatementMissing", "QualificationRulesMissing",
    }  # fmt: skip


def test_the_allotment_is_that_of_paper(reports: tuple[Report, Report]) -> None:
    book = reports[0]["offerings"]["HBT-A"]["subscriptions"]
    assert [one["allotted"] for one in book] == largest_remainder(80_000, [one["units"] for one in book])
    assert sum(one["paid"] for one in book) == reports[0]["offerings"]["HBT-A"]["paid"]
    second = reports[0]["offerings"]["HBT-B"]
    assert second["stage"] == "refunded"
    assert all(one["paid"] == 0 for one in second["subscriptions"])


def test_the_income_sums_to_the_net_rent(reports: tuple[Report, Report]) -> None:
    income, paid = load(ROOT / "examples" / "harbour-tower").income, reports[0]["distribution"]
    holders = paid["holders"].values()
    assert paid["pool"] == income.net_rent == 17_498_100
    assert sum(one["net"] for one in holders) + sum(one["tax"] for one in holders) + paid["residue"] == paid["pool"]
    assert paid["holders"]["merlion-capital"]["units"] == 17_112
    assert paid["holders"]["namsan-pension"]["tax"] == 0


def test_lines_add_up_to_supply(reports: tuple[Report, Report]) -> None:
    for asset, supply in reports[0]["supply"].items():
        assert sum(lines.get(asset, 0) for lines in reports[0]["balances"].values()) == supply


def test_proofs_hold_but_for_the_spoiled_one(reports: tuple[Report, Report]) -> None:
    shows = {proof["file"]: proof["shows"] for proof in reports[0]["proofs"]}
    assert shows["holding.proof"] == "merlion-capital has 17112 units of HBT, 12000 held"
    assert shows["receipt.proof"].startswith("applied: ")
    assert shows["spoiled.proof"] == "refused"
    assert reports[0]["verified"]["flaws"] == []
