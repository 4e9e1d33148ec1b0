"""From blocks to rows: each block once, in order, whole, with the cursor in the same SQL transaction.

Promises: after a crash the views stand at some block exactly; a block that is there already is skipped; a gap, another
chain or another history is an error and changes nothing. The same blocks give the same rows, live or rebuilt.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from msgspec.structs import asdict, replace
from sqlalchemy import Connection, delete, insert, select, update

from stoa.kernel.base import Event
from stoa.ledger.catalog import read_genesis
from stoa.readmodel import assets, compliance, corporate_actions, governance, holdings, holds, identity, offerings
from stoa.readmodel.chain import enter_block, header_row
from stoa.readmodel.draft import At, Draft, Handler
from stoa.readmodel.schema import BLOCKS, CURSOR, schema_version
from stoa.readmodel.views import Tip, Views, tip
from stoa.wire.block import Block, Header
from stoa.wire.vote import Certificate

BLOCKS_AT_ONCE: Final = 200  # entered in one SQL transaction
RECEIPTS_AT_ONCE: Final = 4_096  # likewise; a larger block goes alone

Progress: TypeAlias = Callable[[int], None]  # told the height reached
Certified: TypeAlias = tuple[Block, Certificate | None]  # a block, with its own certificate if it has one

HANDLERS: Final[dict[str, Handler]] = {
    **identity.HANDLERS,
    **compliance.HANDLERS,
    **governance.HANDLERS,
    **assets.HANDLERS,
    **holds.HANDLERS,
    **holdings.HANDLERS,
    **offerings.HANDLERS,
    **corporate_actions.HANDLERS,
}
# facts that no table but that of events needs: their consequences are in other events, or nothing asks for them yet
RECORDED_ONLY: Final = frozenset(
    {
        "assets.record_taken.v1",
        "corporate_actions.tax_remitted.v1",
        "governance.parameter_set.v1",
        "governance.validator_admitted.v1",
        "governance.validator_removed.v1",
        "governance.voting_key_rotated.v1",
        "settlement.forced.v1",
    }
)


class DoesNotFollow(Exception):
    """The block is not the next one of what the views show: a gap, another chain, or another history."""


def found(views: Views, genesis: bytes, header: Header) -> None:
    """Enter the genesis document and the header at height 0; nothing if the views have them already.

    Raises DoesNotFollow when they are views of another chain.
    """
    with views.engine.begin() as connection:
        at, block_hash = tip(connection), header.hash()
        if at is not None:
            _confirm(connection, header, None)
            return
        draft = Draft(connection, 0)
        draft.add(BLOCKS, header_row(header, block_hash, 0, 0))
        identity.found(draft, read_genesis(genesis))
        draft.write()
        _set_tip(connection, Tip(header.chain, 0, block_hash, header.time, 0, 0))


def project(views: Views, blocks: Iterable[Certified], progress: Progress | None = None) -> int:
    """Enter these blocks, a bounded number in one SQL transaction. Returns how many were new. Raises DoesNotFollow.

    ``progress`` is told the height after every transaction.
    """
    new = 0
    for group in _groups(blocks):
        new += _project_group(views, group)
        if progress is not None:
            progress(group[-1][0].header.height)
    return new


def _groups(blocks: Iterable[Certified]) -> Iterator[list[Certified]]:
    """Blocks to enter together: many small ones, or a single large one."""
    group: list[Certified] = []
    receipts = 0
    for pair in blocks:
        count = len(pair[0].receipts)
        if group and (len(group) == BLOCKS_AT_ONCE or receipts + count > RECEIPTS_AT_ONCE):
            yield group
            group, receipts = [], 0
        group.append(pair)
        receipts += count
    if group:
        yield group


def _project_group(views: Views, blocks: list[Certified]) -> int:
    with views.engine.begin() as connection:
        at = tip(connection)
        if at is None:
            raise DoesNotFollow("the views know the genesis of no chain yet")
        new = [pair for pair in blocks if pair[0].header.height > at.height]
        for block, certificate in blocks:
            if block.header.height <= at.height:
                _confirm(connection, block.header, certificate)
        draft = Draft(connection, at.moves)
        happened: list[tuple[At, str, Event]] = []
        for block, certificate in new:
            at = _next(at, block.header)
            happened += enter_block(draft, block, at.hash, len(certificate.votes) if certificate else 0)
        _handle(draft, happened)
        draft.write()
        certified = max((one.height for _, one in blocks if one is not None), default=0)
        _set_tip(connection, replace(at, certified=max(certified, at.certified), moves=draft.moves))
    return len(new)


def _next(at: Tip, header: Header) -> Tip:
    if (header.chain, header.height, header.previous) != (at.chain, at.height + 1, at.hash):
        raise DoesNotFollow(f"block {header.height} of {header.chain} does not follow block {at.height} of {at.chain}")
    return replace(at, height=header.height, hash=header.hash(), time=header.time)


def _confirm(connection: Connection, header: Header, certificate: Certificate | None) -> None:
    """A block that is there already: it must be the same one; its certificate may be news."""
    if connection.scalar(select(BLOCKS.c.hash).where(BLOCKS.c.height == header.height)) != header.hash():
        raise DoesNotFollow(f"the views have another block at height {header.height}")
    if certificate is not None:
        change = update(BLOCKS).where(BLOCKS.c.height == header.height)
        connection.execute(change.values(votes=len(certificate.votes)))


def _handle(draft: Draft, happened: list[tuple[At, str, Event]]) -> None:
    tagged: dict[str, list[Event]] = {}
    for _, tag, event in happened:
        tagged.setdefault(tag, []).append(event)
    for domain in (holdings, holds, offerings, corporate_actions):
        domain.prefetch(draft, tagged)
    for at, tag, event in happened:
        if tag not in RECORDED_ONLY:
            HANDLERS[tag](draft, at, event)


def _set_tip(connection: Connection, at: Tip) -> None:
    connection.execute(delete(CURSOR))
    connection.execute(insert(CURSOR).values(one=1, version=schema_version(), **asdict(at)))
