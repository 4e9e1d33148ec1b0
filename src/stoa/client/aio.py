"""The client that is awaited. For one event loop. Close it, or use it as a context."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Self

import httpx

from stoa.client import asking, driving, feed, history
from stoa.client.errors import ProblemError
from stoa.client.keys import Signer
from stoa.client.plans import BUSY, Answer, Ask, Pause, Plan, T, problem_of
from stoa.client.seal import Seal
from stoa.client.submitting import Desk, send
from stoa.client.views import Asset, Block, Explanation, Fact, Intent, Keys, Portfolio, SnapshotState, Transaction
from stoa.kernel.base import Instruction
from stoa.ledger.catalog import Receipt
from stoa.wire.envelope import read_envelope, transaction_id
from stoa.wire.history import LogRoot

WAIT = 30.0  # seconds that a submission waits to become final, unless told otherwise


class AsyncClient:
    """One connection pool to one door, e.g. ``http://127.0.0.1:8000``.

    ``seal`` signs each request, for who has an API key there; signing transactions needs none. Methods raise
    ProblemError for what the API refuses, and Unreachable.
    """

    def __init__(self, url: str, seal: Seal | None = None) -> None:
        self._http = httpx.AsyncClient(**driving.options(url, seal))
        self._desk = Desk()

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _run(self, plan: Plan[T]) -> T:
        try:
            step = next(plan)
            while True:
                step = plan.send(await self._do(step))
        except StopIteration as done:
            result: T = done.value
            return result

    async def _do(self, step: Ask | Pause) -> Answer:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return Answer(0, b"")
        try:
            return driving.answer_of(await self._http.request(**driving.request_of(step)))
        except httpx.HTTPError as error:
            return driving.lost(error)

    # ---- transactions

    async def build(self, instructions: Sequence[Instruction], author: bytes, lane: int = 0) -> bytes:
        """The canonical body, numbered, for others to sign as well."""
        return await self._run(self._desk.build(instructions, author, lane))

    async def submit(
        self, instructions: Instruction | Sequence[Instruction], *signers: Signer, lane: int = 0, wait: float = WAIT
    ) -> Receipt:
        """Have the instructions signed by all of these, the first of whom is the author, and wait for the receipt.

        The receipt may say that they were refused. Raises NotFinal when it does not come within ``wait`` seconds.
        """
        asked = (instructions,) if isinstance(instructions, Instruction) else tuple(instructions)
        return await self._run(self._desk.submit(asked, signers, lane, wait))

    async def send(self, envelope: bytes, wait: float = WAIT) -> Receipt:
        """Submit an envelope that is signed already. Raises NotFinal."""
        return await self._run(send(envelope, transaction_id(read_envelope(envelope).body), wait))

    async def transaction(self, transaction: bytes) -> Transaction:
        """How a transaction stands."""
        return await self._run(asking.transaction(transaction))

    async def explain(self, instructions: Sequence[Instruction], author: bytes, *signers: bytes) -> Explanation:
        """Every reason against it, and what it would do, if the author and these accounts signed."""
        return await self._run(asking.explain(instructions, author, signers))

    async def eligibility(self, security: str, account: bytes, units: int = 1) -> Explanation:
        """May the account acquire these units, and if not, why not?"""
        return await self._run(asking.eligibility(security, account, units))

    # ---- for custodied users

    async def intend(
        self, instructions: Sequence[Instruction], account: bytes, wait: float = WAIT, submit: bool = True
    ) -> Intent:
        """Have the institution sign for the account, and submit."""
        return await self._run(asking.intend(instructions, account, wait, submit))

    async def approve(self, transaction: bytes, wait: float = WAIT) -> Intent:
        """Consent to another user's intent."""
        return await self._run(asking.decide(transaction, True, wait))

    async def decline(self, transaction: bytes) -> Intent:
        """Take an intent back, or refuse consent."""
        return await self._run(asking.decide(transaction, False, 0))

    # ---- reads

    async def keys(self) -> Keys:
        """The validators' public keys, as this server has them."""
        return await self._run(asking.keys())

    async def asset(self, code: str) -> Asset:
        """A class of a security, or a cash token."""
        return await self._run(asking.asset(code))

    async def holdings(self, account: bytes) -> Portfolio:
        """What lies on an account: for whom it concerns."""
        return await self._run(asking.holdings(account))

    async def block(self, height: int) -> Block:
        """A block in short."""
        return await self._run(asking.block(height))

    async def take_snapshot(self) -> SnapshotState:
        """Have the node begin a snapshot of its state, unless one is under way: for who runs it."""
        return await self._run(asking.take_snapshot())

    async def snapshot_state(self) -> SnapshotState:
        """How the last snapshot stands that was asked for: for who runs the node."""
        return await self._run(asking.snapshot_state())

    async def prove_receipt(self, transaction: bytes) -> bytes:
        """The proof file of a final transaction's receipt, for ``check_proof``."""
        return await self._run(asking.prove_receipt(transaction))

    async def prove_holding(self, asset: str, account: bytes) -> bytes:
        """The proof file of a line of the register, for ``check_proof``: for whom it concerns."""
        return await self._run(asking.prove_holding(asset, account))

    async def check_history(self, keys: Mapping[str, bytes], quorum: int, since: LogRoot | None = None) -> LogRoot:
        """The root of today's log, to be kept, if the validators with these public keys signed it; with a root that was
        kept before, only if the ledger still begins with that. Raises BadProof with the step that fails."""
        return await self._run(history.check_history(since, keys, quorum))

    async def events(
        self, asset: str = "", account: bytes = b"", after: str = "", since: int | None = None
    ) -> AsyncIterator[Fact]:
        """Final facts as they come, for ever: none is missed and none comes twice, whatever breaks in between.

        From now on, or behind the cursor ``after``, or from the block after height ``since``.
        """
        reader = feed.Reader(asset, account, after, since)
        while True:
            try:
                async with self._http.stream("GET", feed.PATH, **reader.request()) as stream:
                    if stream.status_code >= 400 and stream.status_code not in BUSY:
                        raise ProblemError(problem_of(Answer(stream.status_code, await stream.aread())))
                    async for line in stream.aiter_lines():
                        if (fact := reader.feed(line)) is not None:
                            yield fact
            except httpx.HTTPError:
                pass  # broken: taken up again from the last fact
            await asyncio.sleep(feed.PAUSE_SECONDS)
