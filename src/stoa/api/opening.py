"""Opening a house: from a folder and a passphrase to the services of its doors, and closing them in order.

The composition root of one institution on one machine. Everything is found where ``stoa.toml`` says it is. Does not
own: founding the ledger or making keys (``stoa init``), and which doors are opened onto the services.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from stoa.api.bulk import BulkDoor
from stoa.api.projector import Projector
from stoa.api.services import Services
from stoa.bus.bus import Bus
from stoa.bus.settings import BusSettings
from stoa.custody import policy
from stoa.custody.keystore import Keystore
from stoa.custody.requests import OPERATOR_PURPOSE, Requests
from stoa.custody.secret import Secret
from stoa.custody.sessions import Sessions
from stoa.custody.signer import Signer
from stoa.custody.users import Users
from stoa.custody.vault import MASTER_PURPOSE, Vault
from stoa.journal.disk import REAL_DISK, Disk
from stoa.kernel import signing
from stoa.node.config import Config, load_config
from stoa.node.finality import Validator
from stoa.node.links import OPEN_SECONDS, TimeOf, over
from stoa.node.log import LOG
from stoa.node.node import Node, wall_clock
from stoa.node.recovery import Progress
from stoa.ordering.jetstream_safe import check_synced
from stoa.readmodel.views import Views

VOTING_PURPOSE: Final = "stoa.validator"  # for ``Keystore.derived``: the voting key never leaves memory
NETWORK_PURPOSE: Final = "stoa.network"


def validator_of(config: Config, keystore: Keystore) -> Validator:
    """The validator of the house, its voting key derived from the keystore."""
    return Validator(config.institution, keystore.derived(config.validator_key, VOTING_PURPOSE).reveal())


def network_word(config: Config, keystore: Keystore) -> Secret:
    """The word that the key of the house's certificate is sealed under; a change of the passphrase leaves it alone."""
    return Secret(keystore.derived(config.vault_key, NETWORK_PURPOSE).reveal().hex())


def operator_key(config: Config, keystore: Keystore) -> Secret:
    """The key with which who runs the house asks its running node."""
    return keystore.derived(config.validator_key, OPERATOR_PURPOSE)


def views_of(folder: Path, config: Config) -> Views:
    """The views where the settings say they are."""
    return Views.open(config.views if "://" in config.views else folder / config.views)


def bus_of(folder: Path, config: Config, keystore: Keystore) -> Bus | None:
    """The connection to the network's servers; None for a house that is alone."""
    network = config.network
    if network is None:
        return None
    ca, certificate, key = (str(folder / one) for one in (network.ca, network.certificate, network.key))
    word = network_word(config, keystore).reveal().decode()
    return Bus(BusSettings(network.servers, config.institution, ca, certificate, key, word))


def _require_synced(bus: Bus, monitor: str) -> None:
    """The own server must write down what it acknowledges. Raises LogUnsafe. One that is down is asked the next time:
    another institution's server does its work meanwhile. One that keeps no log (no monitor) acknowledges nothing."""
    if monitor and bus.wait(OPEN_SECONDS):
        try:
            check_synced(monitor)
        except OSError as error:
            LOG.warning("unasked", monitor=monitor, why=str(error))


class OpenNode:
    """A validator of a folder, its node open and not started. Use as a context, or ``close`` it.

    Raises what its parts raise.
    """

    def __init__(
        self,
        folder: Path,
        passphrase: Secret,
        clock: Callable[[], int] = wall_clock,
        progress: Progress | None = None,
        disk: Disk = REAL_DISK,
        time_of: TimeOf | None = None,
    ) -> None:
        """``disk`` is where the journal is kept. ``time_of`` makes of the log's time that of ``clock``, for a story."""
        self._disk, self._time_of = disk, time_of
        self.folder, self.config = folder, load_config(folder)
        self.keystore = Keystore(folder / self.config.keystore, passphrase)
        self._closing: list[Callable[[], None]] = []
        try:
            self.node = self._opened_node(clock, progress)
            self._open(clock)
        except BaseException:
            self.close()
            raise

    def _opened_node(self, clock: Callable[[], int], progress: Progress | None) -> Node:
        folder, config = self.folder, self.config
        validator = validator_of(config, self.keystore)
        self.bus = bus_of(folder, config, self.keystore)
        links = None
        if self.bus is not None:
            assert config.network is not None
            self._closing.append(self.bus.close)
            _require_synced(self.bus, config.network.monitor)
            links = over(self.bus, folder, config.institution, config.network.replicas, self._time_of)
        node = Node(folder, validator, config.processes, clock, progress, links, self._disk)
        self._closing.append(node.close)
        return node

    def _open(self, clock: Callable[[], int]) -> None:
        """What else is opened before anything starts."""
        self.start()

    def start(self) -> None:
        """Let the node take transactions and make blocks, and open the bulk door."""
        self.node.start()
        if self.bus is not None:
            self._closing.append(BulkDoor(self.bus, self.node).close)

    def close(self) -> None:
        """Close what is open, the last opened first."""
        while self._closing:
            self._closing.pop()()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class OpenHouse(OpenNode):
    """An open house: the node, its views, and all that its doors need."""

    services: Services

    def _open(self, clock: Callable[[], int]) -> None:
        folder, config = self.folder, self.config
        rules = policy.load(folder / config.policy)
        views = views_of(folder, config)
        self._closing.append(views.close)
        users = Users(folder / "users.sqlite")
        self._closing.append(users.close)
        signer = Signer(self.keystore, rules, folder / "audit", users.actor)
        self._closing.append(signer.close)
        vault = Vault(folder / "vault", self.keystore.derived(config.vault_key, MASTER_PURPOSE))
        self._closing.append(vault.close)
        self.start()
        projector = Projector(self.node.journal, views)
        projector.start()
        self._closing.append(projector.close)
        operator = signing.public_key(operator_key(config, self.keystore).reveal())
        sessions, requests = Sessions(users.engine), Requests(users.engine, config.audience, operator)
        self.services = Services(self.node, views, projector, users, sessions, requests, signer, vault, clock)
