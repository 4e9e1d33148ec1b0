"""The stage: a real house in a folder, its door open, and short words to act on it and to look.

Acts are forms of instructions, as a program in any language would write them; they become canonical bytes, are signed
out of the keystore and submitted through the API, and each is waited for until its receipt is final. Owns no part of
the story.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Self

import msgspec
from sqlalchemy import select

from stoa.api.app import create_app
from stoa.api.serve import Door
from stoa.client import Client
from stoa.demo.dossier import Form
from stoa.demo.ground import Ground, StageError
from stoa.kernel.base import Instruction, Rejection
from stoa.kernel.time import SECOND
from stoa.ledger.catalog import INSTRUCTION_BY_TAG, Body, Receipt, checked_body
from stoa.readmodel.schema import HOLDINGS, LOTS
from stoa.web.handlers import handlers
from stoa.wire.forms import pick_form, to_form

VALID_FOR: Final = 600 * SECOND
PATIENCE: Final = 30.0  # real seconds that a receipt, or due work, may take
GLANCE: Final = 0.005


class Outcome(msgspec.Struct, frozen=True):
    """What became of a submitted transaction: every reason that ``explain`` gave before, and its final receipt."""

    reasons: tuple[Rejection, ...]
    receipt: Receipt


def form(**fields: Any) -> Form:
    """A form; accounts, hashes and shapes may be given as they are."""
    return {name: to_form(value) for name, value in fields.items()}


def act(tag: str, **fields: Any) -> Form:
    """An instruction as a form, by its tag without the version."""
    return {"tag": f"{tag}.v1"} | form(**fields)


class Stage:
    """Set up on the ground, which is opened with it and closed with it. Use as a context."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.dossier = ground, ground.dossier
        try:
            self.house = ground.open()
        except BaseException:
            ground.close()
            raise
        self.folder, self.clock, self.cast = ground.folder, ground.clock, ground.cast
        self.services = self.house.services
        self.node, self.vault = self.services.node, self.services.vault
        self.door = Door(create_app(self.services, handlers()), ground.port)
        self.client = Client(self.door.url)

    def __enter__(self) -> Self:
        try:
            self.door.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open, doors first."""
        self.client.close()
        self.door.stop()
        self.ground.close()

    # acting

    def submit(self, signers: tuple[str, ...], *acts: Form) -> Outcome:
        """Explain, sign, submit, and wait until the receipt is final. The first signer is the author."""
        self.clock.step()
        accounts = [self.cast.accounts[name] for name in signers]
        instructions = tuple(pick_form(INSTRUCTION_BY_TAG, one) for one in acts)
        sequence = self.node.next_sequence(accounts[0], 0)
        body = Body(self.node.chain, accounts[0], 0, sequence, self.clock() + VALID_FOR, instructions)
        reasons = tuple(reason for _, reason in self.node.explain(body, accounts).reasons)
        gateway = self.ground.gateway(signers[0]) or self.client
        self._compare(gateway, reasons, instructions, accounts)
        since = time.monotonic()
        receipt = gateway.send(self.cast.sign(checked_body(body), signers), PATIENCE)
        if self.node.wait(receipt.transaction, PATIENCE) is None:
            raise StageError("what is final elsewhere does not come to the house")
        self.ground.sent(time.monotonic() - since)
        return Outcome(reasons, receipt)

    def _compare(
        self,
        gateway: Client,
        reasons: Sequence[Rejection],
        instructions: Sequence[Instruction],
        accounts: Sequence[bytes],
    ) -> None:
        """The door must give the node's reasons; another validator's, as soon as it has the same blocks."""
        codes = [reason.code for reason in reasons]

        def agrees() -> bool:
            answered = gateway.explain(instructions, accounts[0], *accounts[1:])
            return [reason.code for reason in answered.reasons] == codes

        self._await(agrees, "the API explains otherwise than the node")

    def until(self, moment: int) -> None:
        """Let time pass until the moment, and everything that falls due on the way be done by the node itself."""
        self.clock.until(moment)
        self._await(lambda: not self.node.work_is_due(), "work is still due")

    def _await(self, condition: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline or self.node.failure:
                raise StageError(self.node.failure or f"{otherwise}, {PATIENCE:.0f} s later")
            time.sleep(GLANCE)

    # looking

    def account(self, name: str) -> bytes:
        """The account behind a name."""
        return self.cast.accounts[name]

    def holding(self, asset: str, name: str) -> dict[str, int]:
        """``units``, ``held``, ``frozen`` and ``free`` of a line, as the views show it; zeros without one."""
        columns = [HOLDINGS.c[field] for field in ("units", "held", "frozen", "free")]
        row = self.rows(select(*columns).where(HOLDINGS.c.asset == asset, HOLDINGS.c.account == self.account(name)))
        return row[0] if row else {"units": 0, "held": 0, "frozen": 0, "free": 0}

    def units(self, asset: str, name: str) -> int:
        """The units of a line."""
        return self.holding(asset, name)["units"]

    def lots(self, asset: str, name: str) -> list[dict[str, Any]]:
        """The lots of a line, oldest first, as the views show them."""
        columns = [LOTS.c[field] for field in ("number", "units", "acquired", "cost", "locked")]
        chosen = select(*columns).where(LOTS.c.asset == asset, LOTS.c.account == self.account(name))
        return self.rows(chosen.order_by(LOTS.c.number))

    def rows(self, chosen: Any) -> list[dict[str, Any]]:
        """The rows of a query, once the views show the last final block."""
        projector = self.services.projector
        if not projector.reached(self.node.journal.final, PATIENCE):
            raise StageError(projector.failure or "the views stand still")
        with self.services.views.read() as connection:
            return [dict(row) for row in connection.execute(chosen).mappings()]
