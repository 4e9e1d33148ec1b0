"""The ballot: votes at the heights around the next one, by epoch and hash; who contradicts himself or a certificate."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from stoa.agreement.effects import Evidence
from stoa.agreement.model import Seats
from stoa.wire.vote import Certificate, Vote, vote_valid

AHEAD: Final = 8  # heights above the next one whose votes are kept
BEHIND: Final = 64  # heights below it whose votes are kept, to know who contradicts himself
MAX_EPOCHS: Final = 4  # of one validator at one height; of more the newest are kept


class Ballot:
    """What has been heard of votes. Every vote in it was signed by the member whose name it bears."""

    def __init__(self, chain: str) -> None:
        self._chain = chain
        self._votes: dict[int, dict[tuple[str, int], Vote]] = defaultdict(dict)
        self._settled: dict[int, Certificate] = {}
        self._accused: dict[int, dict[tuple[str, int], None]] = defaultdict(dict)
        self._keys: Mapping[str, bytes] = {}

    def take(self, vote: Vote, height: int, keys: Mapping[str, bytes]) -> Evidence | None:
        """Take a vote in, where ``height`` is the next block's. Returns what it contradicts, the first time."""
        if not height - BEHIND <= vote.height <= height + AHEAD or vote.validator not in keys:
            return None
        votes, name = self._votes[vote.height], (vote.validator, vote.epoch)
        known = votes.get(name)
        if known is not None and (known.block_hash == vote.block_hash or name in self._accused[vote.height]):
            return None
        if not vote_valid(self._chain, vote, keys):
            return None
        if known is not None:
            self._accused[vote.height][name] = None
            return _double(known, vote)
        self._note(votes, name, vote)
        settled = self._settled.get(vote.height)
        return _dissent(vote, settled) if settled is not None and _differs(vote, settled) else None

    @staticmethod
    def _note(votes: dict[tuple[str, int], Vote], name: tuple[str, int], vote: Vote) -> None:
        votes[name] = vote
        own = [one for one in votes if one[0] == name[0]]
        if len(own) > MAX_EPOCHS:
            del votes[min(own)]

    def settle(self, certificate: Certificate, keys: Mapping[str, bytes]) -> Iterator[Evidence]:
        """A block is final: yield each vote of the same epoch for another, beside its caster's own in the certificate
        if that is there."""
        self._settled[certificate.height] = certificate
        what = certificate.height, certificate.block_hash, certificate.epoch
        own = {one.validator: one for one in certificate.votes if (one.height, one.block_hash, one.epoch) == what}
        for vote in self._votes[certificate.height].values():
            if _differs(vote, certificate):
                first = own.get(vote.validator)
                twice = first is not None and vote_valid(self._chain, first, keys)
                yield _double(first, vote) if first is not None and twice else _dissent(vote, certificate)

    def turn(self, height: int, keys: Mapping[str, bytes]) -> None:
        """The next block has this height and these members: forget what is long past, and who votes no more."""
        for kept in (self._votes, self._settled, self._accused):
            for old in [one for one in kept if one < height - BEHIND]:
                del kept[old]
        if keys == self._keys:
            return
        self._keys = keys
        for ahead in [one for one in self._votes if one >= height]:
            votes = self._votes[ahead].items()
            self._votes[ahead] = {name: vote for name, vote in votes if vote_valid(self._chain, vote, keys)}

    def counts(self, height: int, epoch: int) -> dict[bytes, dict[str, Vote]]:
        """Votes for the height in the epoch, by block hash."""
        found: dict[bytes, dict[str, Vote]] = defaultdict(dict)
        for (validator, cast), vote in self._votes[height].items():
            if cast == epoch:
                found[vote.block_hash][validator] = vote
        return found

    def split(self, height: int, epoch: int, seats: Seats) -> str:
        """Who voted for what, if the votes of the epoch cannot become a quorum any more; else empty."""
        counts = self.counts(height, epoch)
        silent = len(seats.keys) - sum(len(votes) for votes in counts.values())
        if len(counts) < 2 or any(len(votes) + silent >= seats.quorum for votes in counts.values()):
            return ""
        return "; ".join(f"{hash_.hex()[:16]}: {', '.join(sorted(votes))}" for hash_, votes in counts.items())

    def certificate(self, height: int, quorum: int) -> Certificate | None:
        """The certificate for the height, if in some epoch a quorum has voted for one hash."""
        if len(self._votes[height]) < quorum:
            return None
        for epoch in sorted({epoch for _, epoch in self._votes[height]}):
            for block_hash, votes in self.counts(height, epoch).items():
                if len(votes) >= quorum:
                    return Certificate(height, block_hash, tuple(votes[name] for name in sorted(votes)), epoch)
        return None


def _differs(vote: Vote, certificate: Certificate) -> bool:
    return vote.epoch == certificate.epoch and vote.block_hash != certificate.block_hash


def _double(first: Vote, second: Vote) -> Evidence:
    return Evidence("two_votes", second.validator, second.height, (first, second))


def _dissent(vote: Vote, certificate: Certificate) -> Evidence:
    return Evidence("dissent", vote.validator, vote.height, (vote, certificate))
