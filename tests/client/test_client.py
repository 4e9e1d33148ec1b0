"""The client over a real wire, to a real server in front of a real node: submit, explain, prove, follow, resume."""

import asyncio
import inspect
import threading
from itertools import islice

import pytest

from stoa.client import AsyncClient, Client, Key, MultiKey, ProblemError, check_proof
from stoa.client.seal import Seal
from stoa.ledger.catalog import HoldingLine, Receipt
from stoa.ledger.identity.open_account import OpenAccount
from stoa.ledger.identity.register_party import RegisterParty
from stoa.wire.proof import BadProof
from tests.api.house import AUDIENCE
from tests.client.conftest import Street
from tests.ledger.hall import account, public, secret, send

PARK = Key(secret("park"))


def sealed(street: Street, user: str) -> Client:
    return Client(street.url, Seal(secret(f"api {user}"), AUDIENCE))


def test_submit_gives_the_final_receipt(client: Client) -> None:
    receipt = client.submit(send("park", "kim", 1), PARK)
    assert receipt.applied
    assert client.transaction(receipt.transaction).decoded == receipt


def test_a_refused_transaction_has_a_receipt_with_its_reason(client: Client) -> None:
    receipt = client.submit(send("park", "kim", 10**9), PARK)
    assert receipt.rejection is not None
    assert receipt.rejection.name == "InsufficientUnits"
    assert client.submit(send("park", "kim", 1), PARK).applied  # its number was used, and counted


def test_a_number_used_by_somebody_else_is_replaced(street: Street, client: Client) -> None:
    assert client.submit(send("park", "kim", 1), PARK, lane=3).applied
    with Client(street.url) as other:
        assert other.submit(send("park", "kim", 1), PARK, lane=3).applied
    assert client.submit(send("park", "kim", 1), PARK, lane=3).applied


def test_a_number_too_far_ahead_is_put_right_and_not_signed_twice(client: Client) -> None:
    assert client.submit(send("park", "kim", 1), PARK, lane=4).applied
    client.build([send("park", "kim", 1)], PARK.account, lane=4)  # numbered, and never sent
    ahead = client.submit(send("park", "kim", 1), PARK, lane=4)
    assert ahead.rejection is not None
    assert ahead.rejection.name == "SequenceAhead"
    assert client.submit(send("park", "kim", 1), PARK, lane=4).applied


def test_the_same_envelope_happens_once(street: Street, client: Client) -> None:
    raw = street.house.signed("park", send("park", "lee", 7), lane=5)
    first, again = client.send(raw), client.send(raw)
    assert first == again
    assert first.applied


def test_two_of_three_keys_sign(street: Street, client: Client) -> None:
    keys = sorted(public(name) for name in ("one", "two", "three"))
    broker = Key(secret("BROKER-A"))
    opened = client.submit(
        [RegisterParty(9_001, True, "BROKER-A"), OpenAccount(9_001, "BROKER-A", 2, tuple(keys))], broker
    )
    assert opened.applied
    board = MultiKey(2, keys, [secret("one"), secret("three")])
    refused = client.submit(RegisterParty(9_002, True, "BROKER-A"), board)
    assert refused.rejection is not None
    assert refused.rejection.name == "NotAuthorised"  # the envelope itself was good
    with pytest.raises(ValueError, match="2 different secrets"):
        MultiKey(2, keys, [secret("one"), secret("one")])


def test_explain_names_every_reason_and_leaves_nothing(client: Client) -> None:
    told = client.explain([send("park", "nobody", 10**9)], PARK.account)
    assert not told.allowed
    assert [reason.name for reason in told.reasons] == ["AccountUnknown"]
    told = client.explain([send("park", "kim", 10**9)], PARK.account)
    assert told.reasons[0].figures["asset"] == "HBT"
    assert client.explain([send("park", "kim", 1)], PARK.account).events[0]["tag"] == "settlement.moved.v1"
    assert client.eligibility("HBT", account("kim"), 5).allowed


def test_a_problem_has_all_its_reasons(client: Client) -> None:
    with pytest.raises(ProblemError) as caught:
        client.holdings(account("kim"))
    assert (caught.value.problem.status, caught.value.problem.name) == (401, "NotAuthenticated")


def test_a_signed_request_speaks_for_its_user(street: Street) -> None:
    with sealed(street, "kim") as kim:
        lines = {line.asset: line.units for line in kim.holdings(account("kim")).lines}
        assert lines["HBT"] > 0
        with pytest.raises(ProblemError, match="NotAllowed"):
            kim.holdings(account("lee"))
    with Client(street.url, Seal(secret("api kim"), "another-door")) as lost, pytest.raises(ProblemError, match="401"):
        lost.holdings(account("kim"))


def test_an_intent_is_signed_by_the_institution_and_a_large_one_by_two(street: Street) -> None:
    with sealed(street, "kim") as kim, sealed(street, "officer") as officer:
        assert kim.intend([send("kim", "lee", 5)], account("kim")).status == "final"
        waiting = kim.intend([send("kim", "lee", 300)], account("kim"))
        assert (waiting.status, waiting.needed) == ("pending", 1)
        digest = bytes.fromhex(waiting.transaction)
        with pytest.raises(ProblemError, match="422 NotSigned"):
            kim.approve(digest)
        assert officer.approve(digest).status == "final"
        with pytest.raises(ProblemError, match="409 NotSigned"):
            officer.decline(digest)


def test_proofs_hold_without_the_server(street: Street, client: Client) -> None:
    receipt = client.submit(send("park", "kim", 2), PARK)
    keys = client.keys()
    proof = client.prove_receipt(receipt.transaction)
    assert check_proof(proof, keys.public(), keys.quorum) == receipt
    with sealed(street, "kim") as kim:
        held = check_proof(kim.prove_holding("HBT", account("kim")), keys.public(), keys.quorum)
        units = next(line.units for line in kim.holdings(account("kim")).lines if line.asset == "HBT")
    assert isinstance(held, HoldingLine)
    assert (held.asset, held.account, held.units) == ("HBT", account("kim"), units)
    with pytest.raises(BadProof):
        check_proof(proof, {"KSD": public("somebody else")}, 1)


def test_the_feed_is_taken_up_where_it_broke(street: Street, client: Client) -> None:
    receipts = [client.submit(send("park", "kim", 1), PARK) for _ in range(3)]
    heights = [receipt.height for receipt in receipts]
    first = next(client.events(since=heights[0] - 1))
    assert (first.height, first.transaction) == (heights[0], receipts[0].transaction.hex())
    assert first.typed() == list(receipts[0].events)
    rest = list(islice(client.events(after=first.cursor, asset="HBT", account=account("park")), 2))
    assert [fact.transaction for fact in rest] == [receipt.transaction.hex() for receipt in receipts[1:]]


def test_the_feed_tells_what_comes(street: Street, client: Client) -> None:
    heard: list[str] = []
    ready = threading.Event()

    def listen() -> None:
        with Client(street.url) as listener:
            events = listener.events(account=account("lee"))
            ready.set()
            heard.append(next(events).transaction)

    thread = threading.Thread(target=listen)
    thread.start()
    ready.wait(5)
    for _ in range(50):  # until the subscription stands
        receipt = client.submit(send("park", "lee", 1), PARK)
        thread.join(0.1)
        if not thread.is_alive():
            break
    assert not thread.is_alive()
    assert client.transaction(bytes.fromhex(heard[0])).status == "final"
    assert receipt.applied


def test_the_async_client_does_the_same(street: Street) -> None:
    async def story() -> tuple[Receipt, list[str]]:
        async with AsyncClient(street.url) as client:
            one, *_ = await asyncio.gather(
                *(client.submit(send("park", "kim", 1), PARK, lane=10 + lane) for lane in range(8))
            )
            cursors = []
            async for fact in client.events(since=0):
                cursors.append(fact.cursor)
                if len(cursors) == 5:
                    break
            return one, cursors

    receipt, cursors = asyncio.run(story())
    assert receipt.applied
    assert len(set(cursors)) == 5


def test_both_clients_offer_the_same() -> None:
    def offer(kind: type) -> dict[str, list[str]]:
        named = {name.replace("aclose", "close"): value for name, value in vars(kind).items() if name[0] != "_"}
        return {name: list(inspect.signature(value).parameters) for name, value in named.items()}

    assert offer(Client) == offer(AsyncClient)


def test_malformed_instructions_are_caught_before_they_are_signed(client: Client) -> None:
    with pytest.raises(ValueError, match="int` >= 1"):
        client.submit(send("park", "kim", 0), PARK, lane=6)
    assert client.submit(send("park", "kim", 1), PARK, lane=6).applied  # no number was lost
