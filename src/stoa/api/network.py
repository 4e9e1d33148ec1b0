"""Routes for how this validator stands among the others: members, peers, votes of the latest blocks, alarms, evidence.

What one validator says of the others is its own view and proves nothing; the votes in certificates and the signatures
in evidence do. Whoever reaches the door may read it; where the servers are is told to those alone who have said who
they are.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec
from litestar import get
from litestar.params import Parameter

from stoa import __version__
from stoa.agreement.details import Detail
from stoa.api.openapi import errors
from stoa.api.services import Services
from stoa.api.viewer import Asking, House
from stoa.journal.journal import Journal
from stoa.node.commit import Skipped
from stoa.node.evidence import MAX_SHOWN, Noted
from stoa.node.health import Network, missing, troubles
from stoa.node.sayings import said

TAGS: Final = ["network"]
BLOCKS_SHOWN: Final = 20  # latest blocks whose votes are told


class MemberView(msgspec.Struct, frozen=True):
    """A member as it was heard last, ``seconds`` ago; None where it was not heard since this validator started.

    ``lag``: final blocks behind the highest that is known here. ``batch``: its last one in a final block, 0 for none.
    ``voted``: in how many of the ``recent`` certificates its vote is. Certificates are closed by the first votes that
    make a quorum, so a vote that is not there is no fault by itself. ``version``: of its program, as it says.
    """

    institution: str
    present: bool
    seconds: float | None
    height: int | None
    lag: int | None
    epoch: int | None
    block_hash: str | None
    batch: int
    voted: int
    version: str | None


class BlockVotes(msgspec.Struct, frozen=True):
    """A final block's certificate in short: the epoch of its votes, and whose they are."""

    height: int
    producer: str
    batch: int
    epoch: int
    votes: tuple[str, ...]


class AlarmView(msgspec.Struct, frozen=True):
    """An alarm that stands: a code with its figures, and its sentence in both languages."""

    kind: str
    code: str
    figures: dict[str, Any]
    en: str
    ko: str


class LogView(msgspec.Struct, frozen=True):
    """How the ordering log is: ``well``, ``unfit``, ``unreachable``, ``regressed``, ``gone`` or ``replaced``; and what
    is wrong with it, in both languages."""

    kind: str
    en: str
    ko: str


class TroubleView(msgspec.Struct, frozen=True):
    """Why a validator's word on finality cannot be relied on, in both languages."""

    en: str
    ko: str


class BusView(msgspec.Struct, frozen=True):
    """The connection to the ordering servers. ``server`` and ``trouble`` are empty for a stranger."""

    connected: bool
    server: str
    trouble: str
    reconnections: int
    sent: int
    received: int
    dropped: int
    overflowed: int
    failed: int


class NetworkView(msgspec.Struct, frozen=True):
    """How the validator stands. ``rule``: ``majority`` or ``byzantine``; ``quorum`` equal votes make a block final.

    ``ready`` is false, and ``troubles`` say why, while its word on finality cannot be relied on. ``away``: it has left
    the quorum to mend its state. ``in_flight``: batches of its own that are published and not final; ``unread`` came
    from the log and wait. ``dropped``: words of peers that found no room. ``bus`` is None where there is none.
    """

    validator: str
    ready: bool
    troubles: tuple[TroubleView, ...]
    height: int
    epoch: int
    rule: str
    quorum: int
    missing: tuple[str, ...]
    members: tuple[MemberView, ...]
    recent: tuple[BlockVotes, ...]
    away: bool
    alarms: tuple[AlarmView, ...]
    evidence: int
    skipped: int
    in_flight: int
    unread: int
    dropped: int
    log: LogView
    bus: BusView | None


class EvidenceItem(msgspec.Struct, frozen=True):
    """What a validator did against the rules: a code with its figures, and its sentence in both languages.
    ``proof``: the canonical bytes (hexadecimal) that show it, if any do."""

    time: int
    kind: str
    validator: str
    height: int
    code: str
    figures: dict[str, Any]
    en: str
    ko: str
    proof: str


class SkippedBatch(msgspec.Struct, frozen=True):
    """A batch in the log that makes no block, here and on every other validator alike. ``producer`` is who it says;
    why, as a code with its figures and as a sentence in both languages."""

    position: int
    producer: str
    number: int
    code: str
    figures: dict[str, Any]
    en: str
    ko: str


class EvidenceView(msgspec.Struct, frozen=True):
    """The newest evidence and the newest skipped batches, newest first; ``count`` of all evidence since the start."""

    count: int
    items: tuple[EvidenceItem, ...]
    skipped: tuple[SkippedBatch, ...]


def recent_votes(journal: Journal, height: int, blocks: int = BLOCKS_SHOWN) -> Iterator[BlockVotes]:
    """The certificates of the latest blocks, the newest first."""
    for number in range(height, max(height - blocks, 0), -1):
        certificate = journal.certificate(number)
        if certificate is not None:
            header = journal.header(number)
            votes = tuple(vote.validator for vote in certificate.votes)
            yield BlockVotes(number, header.producer, header.number, certificate.epoch, votes)


def network_view(services: Services, known: bool = False) -> NetworkView:
    """How the node stands among the others, for a ``known`` user or a stranger."""
    node = services.node
    network = node.network()
    recent, why = tuple(recent_votes(node.journal, network.height)), tuple(troubles(network))
    return NetworkView(
        validator=network.validator,
        ready=not why,
        troubles=tuple(TroubleView(*one) for one in why),
        height=network.height,
        epoch=network.epoch,
        rule=network.rule,
        quorum=network.quorum,
        missing=missing(network),
        members=tuple(_members(network, node.health().block_hash.hex(), recent)),
        recent=recent,
        away=network.away,
        alarms=tuple(_alarm(kind, one) for kind, one in sorted(network.alarms.items())),
        evidence=network.evidence,
        skipped=node.skips,
        in_flight=network.in_flight,
        unread=network.unread,
        dropped=network.dropped,
        log=LogView(*network.log),
        bus=_bus(network, known),
    )


def _alarm(kind: str, detail: Detail) -> AlarmView:
    return AlarmView(kind, detail.code, detail.figures, said(detail), said(detail, "ko"))


def _members(network: Network, block_hash: str, recent: tuple[BlockVotes, ...]) -> Iterator[MemberView]:
    """Members, and former or coming ones that were heard."""
    peers, produced = {peer.validator: peer for peer in network.peers}, dict(network.produced)
    silent, highest = missing(network), max([network.height, *(peer.height for peer in network.peers)])
    for name in sorted({*network.members, *peers}):
        batch, voted = produced.get(name, 0), sum(name in block.votes for block in recent)
        peer = peers.get(name)
        if name == network.validator:
            lag = highest - network.height
            here = network.height, lag, network.epoch, block_hash
            yield MemberView(name, True, 0.0, *here, batch, voted, __version__)
        elif peer is None:
            yield MemberView(name, name not in silent, None, None, None, None, None, batch, voted, None)
        else:
            there = peer.height, highest - peer.height, peer.epoch, peer.block_hash.hex()
            yield MemberView(name, name not in silent, peer.seconds, *there, batch, voted, peer.version or None)


def _bus(network: Network, known: bool) -> BusView | None:
    counts = network.bus
    if counts is None:
        return None
    server, trouble = (counts.server, counts.trouble) if known else ("", "")
    return BusView(
        counts.connected, server, trouble, max(0, counts.connections - 1), counts.sent, counts.received,
        counts.dropped, counts.overflowed, counts.failed,
    )  # fmt: skip


def evidence_view(services: Services, limit: int = MAX_SHOWN) -> EvidenceView:
    """What is remembered against others, newest first."""
    node = services.node
    items = [_item(one) for one in reversed(list(node.evidence.shown))]
    skipped = [_skipped(one) for one in reversed(list(node.skipped))]
    return EvidenceView(node.evidence.count, tuple(items[:limit]), tuple(skipped[:limit]))


def _item(one: Noted) -> EvidenceItem:
    why = one.why.code, one.why.figures, said(one.why), said(one.why, "ko")
    return EvidenceItem(one.time, one.kind, one.validator, one.height, *why, one.proof.hex())


def _skipped(one: Skipped) -> SkippedBatch:
    why = one.why
    return SkippedBatch(one.position, one.producer, one.number, why.code, why.figures, said(why), said(why, "ko"))


@get("/network", operation_id="network", tags=TAGS, responses=errors(), sync_to_thread=True)
def network(services: House, viewer: Asking) -> NetworkView:
    """How this validator stands among the others: members, quorum, who was heard, who voted, alarms, connection."""
    return network_view(services, viewer.known)


@get("/evidence", operation_id="evidence", tags=TAGS, responses=errors(), sync_to_thread=True)
def evidence(
    services: House,
    limit: Annotated[int, Parameter(ge=1, le=MAX_SHOWN, description="The most items of either list.")] = MAX_SHOWN,
) -> EvidenceView:
    """What validators did against the rules, with the signed bytes that show it, and batches that make no block.

    The newest are told; the whole of it is in the file `evidence.jsonl` of the validator's folder.
    """
    return evidence_view(services, limit)


HANDLERS: Final[tuple[Any, ...]] = (network, evidence)
