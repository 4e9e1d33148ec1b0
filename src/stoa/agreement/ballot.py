"""The ballot: votes at the heights around the next one, counted by epoch and hash, and who voted twice.

Votes at heights whose members are not known yet are kept unjudged, a bounded number, and judged when their turn comes.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from stoa.wire.vote import Certificate, Vote, vote_valid

AHEAD: Final = 8  # heights above the next one whose votes are kept
BEHIND: Final = 64  # heights below it whose votes are kept, to know who contradicts himself
MAX_EPOCHS: Final = 4  # of one validator at one height


class Ballot:
    """What has been heard of votes, for one validator set at a time."""

    def __init__(self, chain: str) -> None:
        self._chain = chain
        self._good: dict[int, dict[tuple[str, int], Vote]] = defaultdict(dict)
        self._unjudged: dict[int, dict[tuple[str, int], Vote]] = defaultdict(dict)

    def take(self, vote: Vote, height: int, keys: Mapping[str, bytes]) -> tuple[Vote, Vote] | None:
        """Take a vote in, where ``height`` is the next block's. Returns two votes that contradict each other, if it
        does so to one that is known."""
        if not height - BEHIND <= vote.height <= height + AHEAD or vote.validator not in keys:
            return None
        name = (vote.validator, vote.epoch)
        if vote.height > height:
            self._note(self._unjudged[vote.height], name, vote)
            return None
        known = self._good[vote.height].get(name)
        if known is not None and known.block_hash == vote.block_hash:
            return None
        if not vote_valid(self._chain, vote, keys):
            return None
        if known is not None:
            return known, vote
        self._note(self._good[vote.height], name, vote)
        return None

    def _note(self, votes: dict[tuple[str, int], Vote], name: tuple[str, int], vote: Vote) -> None:
        if sum(one[0] == name[0] for one in votes) < MAX_EPOCHS or name in votes:
            votes[name] = vote

    def turn(self, height: int, keys: Mapping[str, bytes]) -> Iterator[tuple[Vote, Vote]]:
        """The next block has this height now: judge what waited for it, forget what is long past."""
        for old in [one for one in self._good if one < height - BEHIND]:
            del self._good[old]
        for ahead in [one for one in self._unjudged if one <= height]:
            for vote in self._unjudged.pop(ahead).values():
                twice = self.take(vote, height, keys)
                if twice is not None:
                    yield twice

    def counts(self, height: int, epoch: int) -> dict[bytes, dict[str, Vote]]:
        """Good votes for the height in the epoch, by block hash."""
        found: dict[bytes, dict[str, Vote]] = defaultdict(dict)
        for (validator, cast), vote in self._good[height].items():
            if cast == epoch:
                found[vote.block_hash][validator] = vote
        return found

    def cast(self, height: int, validator: str, epoch: int) -> Vote | None:
        """The validator's good vote for the height in the epoch, if it is known."""
        return self._good[height].get((validator, epoch))

    def certificate(self, height: int, quorum: int) -> Certificate | None:
        """The certificate for the height, if in some epoch a quorum has voted for one hash."""
        for epoch in sorted({epoch for _, epoch in self._good[height]}):
            for block_hash, votes in self.counts(height, epoch).items():
                if len(votes) >= quorum:
                    return Certificate(height, block_hash, tuple(votes[name] for name in sorted(votes)), epoch)
        return None
