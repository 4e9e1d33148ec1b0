"""One connection to one server, from its opening to its end; it never reconnects, which is the bus's work.

A connection that ended leaves nothing behind: no half-sent message is sent later, no subscription is resumed by a
library that thinks it knows what was missed.
"""

import asyncio
import logging
import ssl
from typing import Final

from nats.aio.client import Client

from stoa.bus.names import token
from stoa.bus.settings import CONNECT_S, MAX_OUTBOUND_BYTES, PING_S, BusSettings

MAX_UNANSWERED_PINGS: Final = 2
CLOSE_S: Final = 1.0
GLANCE_S: Final = 0.25  # how often it is looked whether there is still a connection
INBOX: Final = "_INBOX"
# asyncio remarks on every end of an encrypted connection that it is none of the half-open kind; nobody can use that
logging.getLogger("asyncio").addFilter(lambda record: "eof_received" not in str(record.msg))


class Link:
    """An open connection. ``ended`` is done when it is over, whoever ended it."""

    def __init__(self, client: Client, server: str, ended: asyncio.Future[None], troubles: list[str]) -> None:
        self.client, self.server, self.ended = client, server, ended
        self._troubles = troubles

    @property
    def trouble(self) -> str:
        """What the server last complained of, e.g. a subject that it does not permit; or empty."""
        return self._troubles[-1] if self._troubles else ""

    async def over(self) -> None:
        """Wait until it has ended. The library's own word is not waited for alone: it may be stopped while it closes,
        and then never says so."""
        while not self.ended.done() and self.client.is_connected:
            await asyncio.wait({self.ended}, timeout=GLANCE_S)

    async def close(self) -> None:
        """End the connection, if it has not ended."""
        await _closed(self.client)
        if not self.ended.done():
            self.ended.set_result(None)


class NoLink(Exception):
    """The server did not take the connection; the message says why."""


async def open_link(settings: BusSettings, server: str) -> Link:
    """Connect to one server. Raises NoLink."""
    client, troubles, is_open = Client(), list[str](), False
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def closed() -> None:
        if not ended.done():
            ended.set_result(None)

    async def trouble(error: Exception) -> None:
        troubles[:] = [f"{type(error).__name__}: {error}"]
        if not is_open:
            raise NoLink  # the library would try again, and the next server must not wait for that

    try:
        secured = _secured(settings)
        opening = client.connect(
            servers=[server],
            name=settings.name,
            error_cb=trouble,
            closed_cb=closed,
            allow_reconnect=False,
            connect_timeout=int(CONNECT_S),
            ping_interval=PING_S,
            max_outstanding_pings=MAX_UNANSWERED_PINGS,
            pending_size=MAX_OUTBOUND_BYTES,
            inbox_prefix=f"{INBOX}.{token(settings.name)}",
            tls=secured,
            tls_handshake_first=secured is not None,
        )
        await asyncio.wait_for(opening, CONNECT_S)
    except Exception as error:  # the library raises what it likes; a server that fails is not used
        await _closed(client)
        raise NoLink(f"{server}: {(troubles or [f'{type(error).__name__}: {error}'])[0]}") from error
    is_open = True
    return Link(client, server, ended, troubles)


def server_name(client: Client) -> str:
    """The name of the server at the other end, as it says itself; the library has it and does not show it."""
    return str(client._server_info.get("server_name", ""))


async def _closed(client: Client) -> None:
    """Close it, however far it was open: the library waits without end for the farewell of a failed handshake."""
    try:
        await asyncio.wait_for(client.close(), CLOSE_S)
    except Exception:  # noqa: BLE001 - the socket is closed first, and nothing else is left to do
        return


def _secured(settings: BusSettings) -> ssl.SSLContext | None:
    """Mutual TLS 1.3 with the market's own authority, where files are named."""
    if not settings.ca:
        return None
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=settings.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if settings.certificate:
        context.load_cert_chain(settings.certificate, settings.key or None, settings.word or None)
    return context
