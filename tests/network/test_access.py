"""Who gets in and what he may say, asked of real ordering servers with real certificates."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError

from stoa.api.opening import network_word
from stoa.custody.keystore import Keystore
from stoa.custody.secret import Secret
from stoa.network.certificates import Authority, Pair, new_key
from stoa.network.plan import Plan
from stoa.network.running import Running
from stoa.node.config import load_config
from tests.cli.test_commands import answer
from tests.network.conftest import PASSPHRASE, founded

CHAIN = "koscom-five"
SOON = 5.0


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The five servers, and no validators."""
    _, folder = founded(tmp_path_factory.mktemp("access"))
    net = Running(folder)
    try:
        net.up(net.here, ("server",))
        yield net
    finally:
        net.down(net.here)


def context(folder: Path, code: str, files: str = "client") -> ssl.SSLContext:
    """What a member's validator connects with, or another of its certificates."""
    made = ssl.create_default_context(cafile=str(folder / code / "network" / "ca.pem"))
    word = None
    if files == "client":
        config = load_config(folder / code)
        word = network_word(config, Keystore(folder / code / config.keystore, Secret(PASSPHRASE))).reveal()
    inner = folder / code / "network"
    made.load_cert_chain(inner / f"{files}.pem", inner / f"{files}.key", password=word)
    return made


async def connected(net: Running, tls: ssl.SSLContext, at: str = "BROKER-A", **options: Any) -> Client:
    """A connection to a member's server, with answers to that member. Raises what it refuses with."""
    url = f"tls://127.0.0.1:{net.plan.member(at).clients}"
    return await nats.connect(
        url,
        tls=tls,
        tls_handshake_first=True,
        allow_reconnect=False,
        connect_timeout=2,
        max_reconnect_attempts=0,
        inbox_prefix=f"_INBOX.{at}",
        **options,
    )


def refused(net: Running, tls: ssl.SSLContext, at: str = "BROKER-A") -> bool:
    async def attempt() -> bool:
        async def quiet(_: Exception) -> None:
            pass

        try:
            client = await connected(net, tls, at, error_cb=quiet)
        except (NatsError, OSError):
            return True
        await client.close()
        return False

    return asyncio.run(attempt())


def test_a_member_gets_in_at_every_server(servers: Running) -> None:
    for at in ("BROKER-A", "BROKER-B"):
        assert not refused(servers, context(servers.folder, "SURVEILLANCE"), at)


def test_a_stranger_with_a_certificate_of_another_authority_is_refused(servers: Running, tmp_path: Path) -> None:
    other = Authority.create(tmp_path / "other", CHAIN, Secret(PASSPHRASE), 1)
    key = new_key()
    Pair(other.client(CHAIN, "BROKER-A", 1, key.public_key()), key).write(
        tmp_path / "client.pem", tmp_path / "client.key"
    )
    tls = ssl.create_default_context(cafile=str(servers.folder / "BROKER-A" / "network" / "ca.pem"))
    tls.load_cert_chain(tmp_path / "client.pem", tmp_path / "client.key")
    assert refused(servers, tls)


def test_nobody_without_a_certificate_or_with_that_of_a_server_is_let_in(servers: Running) -> None:
    bare = ssl.create_default_context(cafile=str(servers.folder / "BROKER-A" / "network" / "ca.pem"))
    assert refused(servers, bare)
    assert refused(servers, context(servers.folder, "BROKER-B", "server"))


def test_a_number_that_was_never_entered_is_refused(servers: Running, tmp_path: Path) -> None:
    authority = Authority(servers.folder / "authority", Secret(PASSPHRASE))
    key = new_key()
    Pair(authority.client(CHAIN, "BROKER-A", 99, key.public_key()), key).write(
        tmp_path / "client.pem", tmp_path / "client.key"
    )
    tls = ssl.create_default_context(cafile=str(servers.folder / "BROKER-A" / "network" / "ca.pem"))
    tls.load_cert_chain(tmp_path / "client.pem", tmp_path / "client.key")
    assert refused(servers, tls)


@pytest.mark.parametrize("kind", ["clients", "cluster"])
def test_what_is_not_encrypted_is_not_answered(servers: Running, kind: str) -> None:
    """Neither greeting nor answer: a server says nothing before the handshake."""
    port = getattr(servers.plan.member("BROKER-A"), kind)
    with socket.create_connection(("127.0.0.1", port), timeout=SOON) as plain:
        plain.settimeout(SOON)
        plain.sendall(b'CONNECT {"verbose":true,"pedantic":false}\r\nSUB say.koscom-five.> 1\r\nPING\r\n')
        heard = b""
        try:
            while piece := plain.recv(4_096):
                heard += piece
        except (ConnectionResetError, TimeoutError):
            pass
    assert not heard or heard[0] == 21, heard  # 21: a TLS alert


def test_the_monitor_listens_on_this_machine_only_and_syncs_always(servers: Running) -> None:
    standing = {one.code: one for one in servers.status()}["BROKER-A"]
    assert standing.ordering.synced
    assert standing.ordering.routes == 4
    assert standing.validator == "stopped"
    text = (servers.folder / "BROKER-A" / "nats.conf").read_text()
    assert f'http: "127.0.0.1:{servers.plan.member("BROKER-A").monitor}"' in text


# permissions


def violations(net: Running, code: str, act: Callable[[Client], Awaitable[Any]]) -> list[str]:
    """What the server complains about while a member acts."""

    async def attempt() -> list[str]:
        heard: list[str] = []

        async def hear(error: Exception) -> None:
            heard.append(str(error))

        client = await connected(net, context(net.folder, code), error_cb=hear)
        try:
            await act(client)
            await client.flush()  # the library may send this ping before what waits;
            await client.flush()  # so what the server says to that comes before the second pong
        finally:
            said = list(heard)
            await client.close()
        return said

    return asyncio.run(attempt())


@pytest.mark.parametrize(
    ("subject", "allowed"),
    [
        ("say.koscom-five.BROKER-A", True),
        ("say.koscom-five.BROKER-B", False),
        ("say.other.BROKER-A", False),
        ("log.koscom-five.1.BROKER-A", True),
        ("log.koscom-five.1.BROKER-B", False),
        ("ask.koscom-five.BROKER-B.BROKER-A", True),
        ("ask.koscom-five.BROKER-A.BROKER-B", False),
        ("submit.koscom-five.BROKER-A", True),
        ("submit.koscom-five.BROKER-B", False),
        ("final.koscom-five.BROKER-B", False),
        ("_INBOX.anything", True),
        ("anything", False),
        ("$JS.API.STREAM.DELETE.LOG", False),
        ("$JS.API.STREAM.PURGE.LOG", False),
        ("$JS.API.STREAM.MSG.DELETE.LOG", False),
        ("$JS.API.STREAM.UPDATE.LOG", False),
        ("$JS.API.STREAM.SNAPSHOT.LOG", False),
        ("$JS.API.STREAM.RESTORE.LOG", False),
        ("$JS.API.STREAM.INFO.LOG", True),
        ("$SYS.REQ.SERVER.PING", False),
    ],
)
def test_an_institution_speaks_for_itself_alone(servers: Running, subject: str, allowed: bool) -> None:
    found = violations(servers, "BROKER-A", lambda client: client.publish(subject, b"x"))
    assert bool(found) is not allowed
    assert all("permissions violation for publish" in one.lower() for one in found), found


@pytest.mark.parametrize(
    ("subject", "allowed"),
    [
        ("say.koscom-five.>", True),
        ("ask.koscom-five.BROKER-A.*", True),
        ("ask.koscom-five.BROKER-B.*", False),
        ("submit.koscom-five.BROKER-B", False),
        ("final.koscom-five.>", True),
        ("ask.koscom-five.>", False),
        ("log.koscom-five.>", False),
        ("_INBOX.BROKER-A.>", True),
        ("_INBOX.BROKER-B.>", False),
        ("_INBOX.>", False),
        (">", False),
        ("$SYS.>", False),
    ],
)
def test_an_institution_hears_what_is_meant_for_it(servers: Running, subject: str, allowed: bool) -> None:
    found = violations(servers, "BROKER-A", lambda client: client.subscribe(subject))
    assert bool(found) is not allowed
    assert all("permissions violation for subscription" in one.lower() for one in found), found


def test_what_one_says_the_others_hear(servers: Running) -> None:
    async def talk() -> bytes:
        says = await connected(servers, context(servers.folder, "BROKER-A"), "BROKER-A")
        hears = await connected(servers, context(servers.folder, "BROKER-B"), "BROKER-B")
        subscription = await hears.subscribe("say.koscom-five.>")
        await hears.flush()
        try:
            for _ in range(50):  # the interest has to travel to the other server first
                await says.publish("say.koscom-five.BROKER-A", b"vote")
                try:
                    return (await subscription.next_msg(0.1)).data
                except NatsError:
                    continue
            return b""
        finally:
            await says.close()
            await hears.close()

    assert asyncio.run(talk()) == b"vote"


def test_the_log_can_be_made_written_and_read_with_these_permissions(servers: Running) -> None:
    async def walk() -> list[bytes]:
        client = await connected(servers, context(servers.folder, "BROKER-A"))
        other = await connected(servers, context(servers.folder, "BROKER-B"), "BROKER-B")
        try:
            log = client.jetstream()
            subjects = ["log.koscom-five.1.*"]
            await log.add_stream(name="LOG", subjects=subjects, num_replicas=3, allow_direct=True, discard="new")
            first = await log.publish("log.koscom-five.1.BROKER-A", b"one")
            await other.jetstream().publish("log.koscom-five.1.BROKER-B", b"two")
            kept = await log.get_msg("LOG", first.seq, direct=True)
            reader = await other.jetstream().pull_subscribe("log.koscom-five.1.*", stream="LOG")
            found = [message.data for message in await reader.fetch(2, timeout=SOON)]
            return [kept.data or b"", *found]
        finally:
            await client.close()
            await other.close()

    assert asyncio.run(walk()) == [b"one", b"one", b"two"]


# renewal


def test_rotation_lets_the_new_certificate_in_and_the_old_one_out_without_stopping(servers: Running) -> None:
    old = context(servers.folder, "SURVEILLANCE")
    pids = [servers.process(one, "server").pid for one in servers.here]

    async def let_go() -> bool:
        gone = asyncio.Event()

        async def closed() -> None:
            gone.set()

        async def quiet(_: Exception) -> None:
            pass

        client = await connected(servers, old, closed_cb=closed, error_cb=quiet)
        done = await asyncio.to_thread(answer, "network", "rotate", "SURVEILLANCE", folder=servers.folder)
        assert done == {"institution": "SURVEILLANCE", "number": 2}
        await asyncio.wait_for(gone.wait(), SOON)
        return client.is_closed

    assert asyncio.run(let_go())
    assert refused(servers, old, "BROKER-A")
    assert refused(servers, old, "BROKER-B")
    assert not refused(servers, context(servers.folder, "SURVEILLANCE"))
    assert not refused(servers, context(servers.folder, "BROKER-A"))
    assert [servers.process(one, "server").pid for one in servers.here] == pids


def test_a_server_that_got_a_new_certificate_stays_in_the_cluster(servers: Running) -> None:
    answer("network", "rotate", "BROKER-B", folder=servers.folder)
    member = servers.plan.member("BROKER-B")
    servers.down((member,), ("server",))
    servers.up((member,), ("server",))
    assert until(lambda: _routes(servers, "BROKER-B") == 4)


def test_a_revoked_member_is_shut_out_as_client_and_as_server(servers: Running) -> None:
    kept = context(servers.folder, "PLATFORM")
    assert until(lambda: _routes(servers, "PLATFORM") == 4)
    assert answer("network", "revoke", "PLATFORM", folder=servers.folder)["revoked"] == 1
    assert refused(servers, kept, "BROKER-A")
    assert until(lambda: _routes(servers, "PLATFORM") == 0)
    assert until(lambda: _routes(servers, "BROKER-A") == 3)
    assert not refused(servers, context(servers.folder, "BROKER-A"))


def _routes(net: Running, code: str) -> int:
    return {one.code: one for one in net.status()}[code].ordering.routes


def until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether the condition comes true in time."""
    import time

    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_a_plan_names_a_member_that_is_unknown(servers: Running) -> None:
    plan: Plan = servers.plan
    with pytest.raises(LookupError, match="BROKER-C is no member"):
        plan.member("BROKER-C")
    assert answer("network", "rotate", "BROKER-C", folder=servers.folder, code=2)["error"] == "usage"
