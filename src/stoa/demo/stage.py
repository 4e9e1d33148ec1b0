"""The stage: a real house in a folder, its door open, and short words to act on it and to look.

Acts are forms of instructions, as a program in any language would write them; they become canonical bytes, are signed
out of the keystore and submitted through the API, and each is waited for until its receipt is final. Owns no part of
the story.
"""

import time
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from sqlalchemy import select

from stoa.api.app import create_app
from stoa.api.opening import OpenHouse
from stoa.api.serve import Door
from stoa.client import Client
from stoa.custody.secret import Secret
from stoa.demo.cast import PASSPHRASE, VALIDATOR, VAULT, Cast
from stoa.demo.clock import StoryClock
from stoa.demo.dossier import Dossier, Form
from stoa.kernel.base import Rejection
from stoa.kernel.time import SECOND
from stoa.ledger.catalog import INSTRUCTION_BY_TAG, Body, Receipt, checked_body
from stoa.node.config import Config, write_config
from stoa.node.found import found
from stoa.readmodel.schema import HOLDINGS, LOTS
from stoa.web.handlers import handlers
from stoa.wire.forms import pick_form, to_form

VALID_FOR: Final = 600 * SECOND
PATIENCE: Final = 30.0  # real seconds that a receipt, or due work, may take
GLANCE: Final = 0.005
POLICY: Final = """\
# Who may have what signed. In this demonstration: everybody everything, for the accounts linked to him.

[[grant]]
id = "own-accounts"
roles = ["investor", "clerk"]
accounts = ["linked"]
instructions = ["*"]
"""


class StageError(RuntimeError):
    """The stage broke: the node stopped, or did not answer in time."""


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
    """Set up in ``folder``, which is empty, with the door at ``port``. Use as a context."""

    def __init__(self, folder: Path, dossier: Dossier, port: int) -> None:
        self.folder, self.dossier = folder, dossier
        self.clock = StoryClock(dossier.terms.starts)
        self.cast = Cast(folder, dossier)
        found(folder, self.cast.genesis)
        write_config(folder, Config(dossier.terms.validator, port, validator_key=VALIDATOR, vault_key=VAULT))
        (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
        self.house = OpenHouse(folder, Secret(PASSPHRASE), self.clock)
        self.services = self.house.services
        self.node, self.vault = self.services.node, self.services.vault
        self.door = Door(create_app(self.services, handlers()), port)
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
        self.house.close()

    # acting

    def submit(self, signers: tuple[str, ...], *acts: Form) -> Outcome:
        """Explain, sign, submit, and wait until the receipt is final. The first signer is the author."""
        self.clock.step()
        accounts = [self.cast.accounts[name] for name in signers]
        instructions = tuple(pick_form(INSTRUCTION_BY_TAG, one) for one in acts)
        sequence = self.node.next_sequence(accounts[0], 0)
        body = Body(self.node.chain, accounts[0], 0, sequence, self.clock() + VALID_FOR, instructions)
        reasons = tuple(reason for _, reason in self.node.explain(body, accounts).reasons)
        answered = self.client.explain(instructions, accounts[0], *accounts[1:])
        if [reason.code for reason in reasons] != [reason.code for reason in answered.reasons]:
            raise StageError("the API explains otherwise than the node")
        receipt = self.client.send(self.cast.sign(checked_body(body), signers), PATIENCE)
        return Outcome(reasons, receipt)

    def until(self, moment: int) -> None:
        """Let time pass until the moment, and everything that falls due on the way be done by the node itself."""
        self.clock.until(moment)
        deadline = time.monotonic() + PATIENCE
        while self.node.work_is_due():
            if time.monotonic() > deadline or self.node.failure:
                raise StageError(self.node.failure or f"work was still due after {PATIENCE:.0f} s")
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
