"""The description of the API can fail: it is fuzzed from itself over a real wire, and every answer must be in it."""

import json
from collections.abc import Iterator

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from litestar import Litestar
from litestar.testing import TestClient
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from stoa.api.problems import REFUSALS
from stoa.api.serve import Door, free_port
from stoa.ledger.catalog import EVENT_BY_TAG, INSTRUCTION_BY_TAG, REJECTIONS
from tests.api.house import House

EXAMPLES = 5  # of each operation, asked rightly and asked wrongly
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def door(house: House) -> Iterator[Door]:
    with Door(house.app(), free_port()) as opened:
        yield opened


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_described(door: Door, mode: GenerationMode) -> None:
    described = schemathesis.openapi.from_url(f"{door.url}/v1/openapi.json").exclude(path="/v1/events")
    wrong: list[str] = []
    with requests.Session() as session:
        for found in described.get_all_operations():
            operation = found.ok()

            @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: schemathesis.Case) -> None:
                case.call_and_validate(session=session, checks=CHECKS)

            try:
                ask()
            except Unsatisfiable:
                continue  # an operation without parameters cannot be asked wrongly
            except Exception as error:  # noqa: BLE001 - every operation is tried, then all complaints are shown
                wrong.append(f"{operation.label}: {error}")
    assert not wrong, "\n\n".join(wrong)


def test_the_node_has_stood_it(house: House, client: TestClient[Litestar]) -> None:
    assert client.get("/health/ready").status_code == 200
    assert not house.node.failure


def test_every_operation_has_a_stable_name_and_explains_its_errors(client: TestClient[Litestar]) -> None:
    document = client.get("/v1/openapi.json").json()
    names = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            names.append(operation["operationId"])
            assert operation.get("description") or operation.get("summary"), (method, path)
            for status, response in operation["responses"].items():
                assert response["description"], (path, status)
                if status >= "400":
                    assert list(response["content"]) == ["application/problem+json"], (path, status)
    assert len(names) == len(set(names))


def test_the_catalog_has_every_tag_and_number(client: TestClient[Litestar]) -> None:
    catalog = client.get("/v1/catalog").json()
    assert {one["tag"] for one in catalog["instructions"]} == set(INSTRUCTION_BY_TAG)
    assert {one["tag"] for one in catalog["events"]} == set(EVENT_BY_TAG)
    names = [one["name"] for one in catalog["rejections"]]
    assert {kind.__name__ for kind in (*REJECTIONS, *REFUSALS)} <= set(names)
    codes = [one["code"] for one in catalog["rejections"]]
    assert len(codes) == len(set(codes))
    assert all(one["en"] and one["ko"] and one["text"] for one in catalog["rejections"])


def test_every_answer_is_hardened_and_nothing_is_fetched_from_elsewhere(client: TestClient[Litestar]) -> None:
    for path in ("/v1/blocks", "/v1/nowhere", "/health/live"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
    assert "http://" not in json.dumps(client.get("/v1/openapi.json").json())


def test_unknown_routes_and_methods_are_problems_too(client: TestClient[Litestar]) -> None:
    assert client.get("/v1/nowhere").json()["name"] == "NotFound"
    answer = client.put("/v1/blocks")
    assert (answer.status_code, answer.json()["name"]) == (405, "MethodUnknown")
