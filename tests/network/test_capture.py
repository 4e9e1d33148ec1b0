"""Nothing readable on the wire: all traffic between five real members is captured and searched.

What must not be seen is a transaction's content, an account, a subject's name, a member's code. That the search finds
what is there is shown by the same transaction on its way from the client to its own gateway, which is plain text and
leaves no host.
"""

import json
import socket
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from stoa.custody.keystore import Keystore
from stoa.custody.secret import Secret
from stoa.network.running import Running
from stoa.node.config import load_config
from tests.cli.test_commands import CASH, PASSPHRASE, answer, stoa
from tests.network.conftest import founded
from tests.network.test_five import TRUSTING, agreed
from tests.network.test_processes import _alive, until
from tests.network.wire import DATA, HANDSHAKE, TLS13, Capture, Flow, records, written

PERSON = "Hong Gildong 900101-1234567"
CODE = "ZQXMARKER7"
LEAST_BYTES = 1_000  # of application data on a connection's way that is said to have been seen


def _may_capture() -> bool:
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except (OSError, AttributeError):
        return False
    return True


pytestmark = pytest.mark.skipif(not _may_capture(), reason="needs a raw packet socket: root, or CAP_NET_RAW, on Linux")


class Seen:
    """What was captured while one transaction went through the network."""

    def __init__(self, net: Running, capture: Capture, account: bytes) -> None:
        self.net, self.account = net, account
        self.streams = list(capture.streams())
        self.dropped = capture.dropped
        self.secrets = {"person": PERSON.encode(), "code": CODE.encode(), "account": account}

    def of(self, ports: set[int]) -> list[tuple[Flow, bytes]]:
        """What went to or from these ports."""
        return [(flow, stream) for flow, stream in self.streams if ports & {*flow} and stream]

    @property
    def between(self) -> list[tuple[Flow, bytes]]:
        """What went between programs of members: to servers from validators, and from other servers."""
        return self.of({port for one in self.net.here for port in (one.clients, one.cluster)})


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    _, folder = founded(tmp_path_factory.mktemp("wire"))
    net = Running(folder)
    ports = [port for one in net.here for port in (one.port, one.clients, one.cluster)]
    try:
        with Capture(ports) as capture:
            answer("network", "up", "--detach", folder=folder)
            form = CASH | {"asset": CODE, "name": PERSON, "bank": "PLATFORM", "terms": TRUSTING}
            given = json.dumps(form).encode()
            code, out, errors = stoa(
                "submit", "-", "--sign", "PLATFORM", "--json", folder=folder / "PLATFORM", given=given
            )
            assert code == 0, errors
            height = json.loads(out)["receipt"]["height"]
            assert until(lambda: agreed(folder, 5, height))
        yield Seen(net, capture, _account(folder / "PLATFORM"))
    finally:
        answer("network", "down", folder=folder)
        assert not _alive(folder)


def _account(folder: Path) -> bytes:
    return Keystore(folder / load_config(folder).keystore, Secret(PASSPHRASE)).key("PLATFORM").account


def test_all_of_it_was_seen(seen: Seen) -> None:
    assert seen.dropped == 0
    for one in seen.net.here:
        for kind, port in (("validator's", one.clients), ("servers'", one.cluster)):
            for way in (0, 1):
                data = sum(len(stream) for flow, stream in seen.between if flow[way] == port)
                assert data > LEAST_BYTES, f"{one.code}: the {kind} connections, {('from', 'to')[way]} the server"


def test_every_byte_between_members_is_of_tls_1_3(seen: Seen) -> None:
    for flow, stream in seen.between:
        kinds = list(records(stream))
        assert kinds[0][0] == HANDSHAKE, flow
        if flow.source in {port for one in seen.net.here for port in (one.clients, one.cluster)}:
            assert TLS13 in kinds[0][1], f"{flow}: the server's greeting chooses another version"
    assert any(kind == DATA for _, stream in seen.between for kind, _ in records(stream))


def test_no_word_of_it_can_be_read(seen: Seen) -> None:
    chain, codes = seen.net.plan.chain, seen.net.plan.codes
    subjects = [f"{what}.{chain}" for what in ("say", "log", "ask", "submit", "final")]
    names = [*codes, *subjects, chain, f"LOG-{chain}-1", "$JS.API", "_INBOX", "LEDGER", '"server_name"', "PUB "]
    wanted = {name: list(written(secret)) for name, secret in seen.secrets.items()}
    wanted |= {name: [name.encode()] for name in names}
    for flow, stream in seen.between:
        for name, forms in wanted.items():
            assert not any(form in stream for form in forms), f"{name} can be read in {flow}"


def test_the_search_finds_what_is_there(seen: Seen) -> None:
    """The client's way to its own gateway on the same machine is plain text, and was captured the same way."""
    plain = b"".join(stream for _, stream in seen.of({one.port for one in seen.net.here}))
    for name, secret in seen.secrets.items():
        assert any(form in plain for form in written(secret)), name


def test_a_secret_is_found_however_it_is_written_and_wherever_it_begins() -> None:
    wholes = [(word, b"x" * lead + word) for word in (b"four", b"fives", b"sixsix") for lead in range(4)]
    texts = [(word, text) for word, whole in wholes for text in (whole, whole.hex().encode(), b64encode(whole + b"y"))]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with Capture([port]) as capture:
            for _, text in texts:
                with socket.create_connection(("127.0.0.1", port)) as mouth, server.accept()[0] as ear:
                    mouth.sendall(text)
                    assert ear.recv(100) == text
    streams = [stream for _, stream in capture.streams() if stream]
    assert sorted(streams) == sorted(text for _, text in texts)
    for word, text in texts:
        assert any(form in text for form in written(word)), text
