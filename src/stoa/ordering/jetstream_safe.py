"""Whether a server keeps what it acknowledges: ``sync_interval: always``, asked of its monitoring at a node's start.

Without it a server answers before the disk has the batch, and a power cut of several hosts loses what was accepted.
The blocks survive that, but there is no reason to run so.
"""

import json
import urllib.request
from typing import Final

VARZ_S: Final = 5.0
MAX_VARZ_BYTES: Final = 4 * 1024 * 1024


class LogUnsafe(Exception):
    """The server does not sync what it acknowledges, or does not say so."""


def check_synced(monitoring: str) -> None:
    """Ask a server's monitoring, e.g. ``http://127.0.0.1:8222``. Raises LogUnsafe; OSError when it does not answer."""
    if not monitoring.startswith(("http://", "https://")):
        raise LogUnsafe(f"{monitoring!r} is no monitoring address")
    with urllib.request.urlopen(f"{monitoring.rstrip('/')}/varz", timeout=VARZ_S) as answer:
        told = json.loads(answer.read(MAX_VARZ_BYTES))
    if told.get("jetstream", {}).get("config", {}).get("sync_always") is not True:
        raise LogUnsafe(f"{told.get('server_name', monitoring)} does not run JetStream with `sync_interval: always`")
