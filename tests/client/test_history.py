"""A holder keeps one small file, and shows with it that the ledger was only ever added to: over the wire, for real."""

import asyncio
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from stoa.client import AsyncClient, BadProof, Client, Key, LogRoot, Unreachable, read_root, write_root
from stoa.client.history import check_history
from stoa.client.plans import Answer, Plan
from tests.client.conftest import Street
from tests.ledger.hall import public, secret, send

PARK = Key(secret("park"))


def test_what_was_kept_is_still_the_beginning(street: Street, client: Client, tmp_path: Path) -> None:
    keys, file = client.keys(), tmp_path / "kept.json"
    client.submit(send("park", "kim", 1), PARK, lane=40)
    write_root(file, client.check_history(keys.public(), keys.quorum))
    client.submit(send("park", "kim", 1), PARK, lane=40)
    kept = read_root(file)
    today = client.check_history(keys.public(), keys.quorum, kept)
    assert today.height > kept.height
    write_root(file, today)
    assert read_root(file) == today
    assert [path.name for path in tmp_path.iterdir()] == ["kept.json"]

    async def awaited() -> LogRoot:
        async with AsyncClient(street.url) as other:
            return await other.check_history(keys.public(), keys.quorum, kept)

    assert asyncio.run(awaited()) == today


def test_another_past_other_keys_and_lost_blocks_are_refused(client: Client) -> None:
    keys = client.keys()
    kept = client.check_history(keys.public(), keys.quorum)
    client.submit(send("park", "kim", 1), PARK, lane=41)
    with pytest.raises(BadProof, match="does not extend"):
        client.check_history(keys.public(), keys.quorum, replace(kept, root=bytes(32)))
    with pytest.raises(BadProof, match="blocks, and shows"):
        client.check_history(keys.public(), keys.quorum, replace(kept, height=10**6))
    with pytest.raises(BadProof, match="the certificate lacks"):
        client.check_history({"KSD": public("somebody else")}, 1)


def test_a_file_without_a_root_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    for text in (
        "",
        "{}",
        '{"chain": "test", "height": 0, "root": ""}',
        '{"chain": "test", "height": 1, "root": "00"}',
    ):
        file.write_text(text)
        with pytest.raises(ValueError, match=r"."):
            read_root(file)
    with pytest.raises(FileNotFoundError):
        read_root(tmp_path / "none")


def carried_out(plan: Plan[LogRoot], *bodies: bytes) -> None:
    next(plan)
    for body in bodies:
        plan.send(Answer(200, body))


def test_an_answer_that_is_not_of_this_api_is_no_proof(street: Street) -> None:
    head = httpx.get(f"{street.url}/v1/log").content
    for bodies in (
        (b"[]",),
        (b"{}",),
        (head.replace(b'"root":"', b'"root":"zz'),),
        (head, b"{}"),
        (head, b'{"path":["x"]}'),
    ):
        with pytest.raises(Unreachable, match="not one of this API"):
            carried_out(check_history(None, {}, 1), *bodies)


def test_what_the_log_does_not_hold_is_a_problem(street: Street) -> None:
    for path, status in (
        ("consistency?first=2&second=1", 404), ("consistency?first=1&second=1000000", 404),
        ("inclusion?height=1000000&size=1000000", 404), ("inclusion?height=0&size=1", 400), ("consistency", 400),
    ):  # fmt: skip
        answer = httpx.get(f"{street.url}/v1/log/{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), path
