"""How a process reaches the servers, and the bounds of its connection."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

MAX_SERVERS: Final = 64
MAX_PAYLOAD_BYTES: Final = 32 * 1024 * 1024  # of one message; the servers' `max_payload` must be this
MAX_OUTBOUND_BYTES: Final = 64 * 1024 * 1024  # handed over and not yet on the wire; beyond it messages are dropped
MAX_QUEUED_BYTES: Final = 64 * 1024 * 1024  # that wait for one handler; beyond it messages are dropped
MESSAGE_BYTES: Final = 32 * 1024  # what a message counts at least, so that small ones are bounded too

CONNECT_S: Final = 3.0  # for one server to take the connection, TLS included
RETRY_S: Final = 0.25  # from one round over all servers to the next, and between two tries of a kept work
PING_S: Final = 2  # a server that leaves two pings unanswered is left
HOME_S: Final = 15.0  # on another institution's server: how often the own one is tried again


class BusSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The servers, the institution's own first, as ``nats://host:port``; and who this is.

    ``name`` is the institution's code: replies come to inboxes under it, so that a server can keep others from them.
    With ``ca``, ``certificate`` and ``key`` (PEM files) the connection is mutual TLS from its first byte; the servers
    then need ``handshake_first: true``. Files are read at each connecting, so a renewed certificate needs no restart.
    """

    servers: Annotated[tuple[str, ...], Meta(min_length=1, max_length=MAX_SERVERS)]
    name: Annotated[str, Meta(min_length=1)]
    ca: str = ""
    certificate: str = ""
    key: str = ""
    word: str = ""  # that the key is sealed under; empty: it is not

    def __repr__(self) -> str:
        return f"BusSettings({self.name}, {self.servers})"
