"""Numbers: who signed two contents under one batch number.

A producer may sign the same envelopes under one number again, with a newer time, when the log was long in taking them.
Other envelopes under the number are a lie: one of the two is meant for somebody else. Whoever sees both can show it.
"""

from collections.abc import Mapping

from stoa.agreement.effects import Evidence
from stoa.wire.batch import BatchHead, head_signed


class Numbers:
    """The newest batch of each producer that was seen; at most one for each member."""

    def __init__(self) -> None:
        self._seen: dict[str, BatchHead] = {}

    def good(self, head: BatchHead, height: int) -> Evidence | None:
        """The batch is its producer's next, and its signature was checked."""
        known = self._seen.get(head.producer)
        self._seen[head.producer] = head
        return _against(known, head, height) if known is not None else None

    def stale(self, head: BatchHead, keys: Mapping[str, bytes], height: int) -> Evidence | None:
        """The batch came too late to be looked at."""
        known, key = self._seen.get(head.producer), keys.get(head.producer)
        if known is None or key is None:
            return None
        evidence = _against(known, head, height)
        return evidence if evidence is not None and head_signed(head, key) else None

    def keep(self, keys: Mapping[str, bytes]) -> None:
        """These are the members: forget the others."""
        self._seen = {name: head for name, head in self._seen.items() if name in keys}


def _against(first: BatchHead, second: BatchHead, height: int) -> Evidence | None:
    if first.number != second.number or first.envelopes_root == second.envelopes_root:
        return None
    return Evidence("two_batches", first.producer, height, (first, second))
