"""Opening a house: from a folder and a passphrase to the services of its doors, and closing them in order.

The composition root of one institution on one machine. Everything is found where ``stoa.toml`` says it is. Does not
own: founding the ledger or making keys (``stoa init``), and which doors are opened onto the services.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from stoa.api.projector import Projector
from stoa.api.services import Services
from stoa.custody import policy
from stoa.custody.keystore import Keystore
from stoa.custody.requests import OPERATOR_PURPOSE, Requests
from stoa.custody.secret import Secret
from stoa.custody.sessions import Sessions
from stoa.custody.signer import Signer
from stoa.custody.users import Users
from stoa.custody.vault import MASTER_PURPOSE, Vault
from stoa.kernel import signing
from stoa.node.config import Config, load_config
from stoa.node.finality import Validator
from stoa.node.node import Node, wall_clock
from stoa.node.recovery import Progress
from stoa.readmodel.views import Views

VOTING_PURPOSE: Final = "stoa.validator"  # for ``Keystore.derived``: the voting key never leaves memory


def validator_of(config: Config, keystore: Keystore) -> Validator:
    """The validator of the house, its voting key derived from the keystore."""
    return Validator(config.institution, keystore.derived(config.validator_key, VOTING_PURPOSE).reveal())


def operator_key(config: Config, keystore: Keystore) -> Secret:
    """The key with which who runs the house asks its running node."""
    return keystore.derived(config.validator_key, OPERATOR_PURPOSE)


def views_of(folder: Path, config: Config) -> Views:
    """The views where the settings say they are."""
    return Views.open(config.views if "://" in config.views else folder / config.views)


class OpenHouse:
    """An open house, its node running. Use as a context, or ``close`` it. Raises what its parts raise."""

    def __init__(
        self,
        folder: Path,
        passphrase: Secret,
        clock: Callable[[], int] = wall_clock,
        progress: Progress | None = None,
    ) -> None:
        self.config = load_config(folder)
        self.keystore = Keystore(folder / self.config.keystore, passphrase)
        validator = validator_of(self.config, self.keystore)
        rules = policy.load(folder / self.config.policy)
        self._closing: list[Callable[[], None]] = []
        try:
            self.services = self._open(folder, validator, rules, clock, progress)
        except BaseException:
            self.close()
            raise

    def _open(
        self, folder: Path, validator: Validator, rules: policy.Policy, clock: Callable[[], int], told: Progress | None
    ) -> Services:
        node = Node(folder, validator, self.config.processes, clock, told, self.config.checkpoint_blocks)
        self._closing.append(node.close)
        views = views_of(folder, self.config)
        self._closing.append(views.close)
        users = Users(folder / "users.sqlite")
        self._closing.append(users.close)
        signer = Signer(self.keystore, rules, folder / "audit", users.actor)
        self._closing.append(signer.close)
        vault = Vault(folder / "vault", self.keystore.derived(self.config.vault_key, MASTER_PURPOSE))
        self._closing.append(vault.close)
        node.start()
        projector = Projector(node.journal, views)
        projector.start()
        self._closing.append(projector.close)
        operator = signing.public_key(operator_key(self.config, self.keystore).reveal())
        sessions, requests = Sessions(users.engine), Requests(users.engine, self.config.audience, operator)
        return Services(node, views, projector, users, sessions, requests, signer, vault, clock)

    def close(self) -> None:
        """Close what is open, the last opened first."""
        while self._closing:
            self._closing.pop()()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
