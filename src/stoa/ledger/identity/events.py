"""What happened to identities."""

from stoa.kernel.base import Event


class InstitutionRegistered(Event, tag="identity.institution_registered.v1"):
    """A member joined, or its entry was replaced."""

    institution: str
    name: str
    country: str
    roles: tuple[str, ...]
    account: bytes
    active: bool


class PartyRegistered(Event, tag="identity.party_registered.v1"):
    """A person or firm is known by number from now on."""

    party: int
    entity: bool
    keeper: str


class AccountOpened(Event, tag="identity.account_opened.v1"):
    """A line in the register was opened."""

    account: bytes
    party: int
    custodian: str
    threshold: int
    keys: tuple[bytes, ...]


class KeysRotated(Event, tag="identity.keys_rotated.v1"):
    """Other keys speak for the account from now on."""

    account: bytes
    threshold: int
    keys: tuple[bytes, ...]


class AccountFreezeSet(Event, tag="identity.account_freeze_set.v1"):
    """The account as a whole was frozen or freed."""

    account: bytes
    frozen: bool
    by: str
    reason: str
    evidence: bytes
