"""The feed at home: lines of server-sent events become facts, and a broken stream is taken up where it broke."""

from typing import Any, Final

import msgspec

from stoa.client.views import Fact
from stoa.kernel.identifiers import address

PATH: Final = "/v1/events"
PAUSE_SECONDS: Final = 0.5  # before a broken stream is taken up again
SILENCE_SECONDS: Final = 60.0  # the API says something more often than that


class Reader:
    """Reads the lines of one subscription; ``request`` is what to ask, also after a break."""

    def __init__(self, asset: str, account: bytes, after: str, since: int | None) -> None:
        wanted = {"asset": asset, "account": address(account) if account else "", "since": since}
        self._params = {name: value for name, value in wanted.items() if value not in ("", None)}
        self.cursor = after
        self._message: dict[str, str] = {}

    def request(self) -> dict[str, Any]:
        """The arguments of the request: from behind the last fact that was read."""
        self._message = {}
        resume = {"Last-Event-ID": self.cursor} if self.cursor else {}
        headers = {"Accept": "text/event-stream", **resume}
        return {"params": self._params, "headers": headers, "timeout": SILENCE_SECONDS}

    def feed(self, line: str) -> Fact | None:
        """Take in a line; the fact that it completes, if any."""
        if line:
            name, _, value = line.partition(":")
            self._message[name] = self._message.get(name, "") + value.strip()
            return None
        message, self._message = self._message, {}
        self.cursor = message.get("id", self.cursor)
        return msgspec.json.decode(message["data"], type=Fact) if message.get("event") == "fact" else None
