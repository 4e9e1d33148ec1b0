"""The ground that a story is played on: where its house stands, which clock it goes by, and what else is there.

This one is a house alone on one machine. A network (``stoa.network.story``) is another, on which the story is the same.
"""

from pathlib import Path
from typing import Any, Final

from stoa.api.opening import OpenHouse
from stoa.client import Client
from stoa.custody.secret import Secret
from stoa.demo.cast import PASSPHRASE, VALIDATOR, VAULT, Cast
from stoa.demo.clock import StoryClock
from stoa.demo.dossier import Dossier
from stoa.demo.report import Aside
from stoa.kernel.codec import encode
from stoa.node.config import Config, write_config
from stoa.node.found import found

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


class Ground:
    """In ``folder``, which is new. ``root``: the folder in which everything is that the story leaves on disk."""

    cast: Cast
    clock: StoryClock
    house: OpenHouse

    def __init__(self, folder: Path, dossier: Dossier, port: int) -> None:
        """``port`` is that of the house's door."""
        self.root, self.dossier, self.port = folder, dossier, port
        self.folder = folder  # of the house that acts

    def open(self) -> OpenHouse:
        """Found the ledger and open the house."""
        self.clock = StoryClock(self.dossier.terms.starts)
        self.cast = Cast(self.folder, self.dossier)
        found(self.folder, self.cast.genesis)
        config = Config(self.dossier.terms.validator, self.port, validator_key=VALIDATOR, vault_key=VAULT)
        write_config(self.folder, config)
        (self.folder / "policy.toml").write_text(POLICY, encoding="utf-8")
        self.house = OpenHouse(self.folder, Secret(PASSPHRASE), self.clock)
        return self.house

    def close(self) -> None:
        """Close the house and whatever else is open. Also after an ``open`` that failed."""
        if hasattr(self, "house"):
            self.house.close()

    def gateway(self, author: str) -> Client | None:
        """Where the author submits, if it is elsewhere than at the door of the house that acts."""
        del author
        return None

    def sent(self, seconds: float) -> None:
        """A transaction took so long from its submission until it was final."""

    def enter(self, chapter: int) -> list[Aside]:
        """A chapter begins: what happens on this ground beside the story."""
        del chapter
        return []

    def prove_holding(self, asset: str, account: bytes) -> bytes:
        """A proof of a line of the register that holds against the keys of a quorum."""
        return encode(self.house.node.prove_holding(asset, account))

    def consoles(self) -> dict[str, str]:
        """Where further institutions serve theirs, by code."""
        return {}

    def figures(self) -> dict[str, Any]:
        """What there is to say of this ground at the end."""
        return {}
