"""Genesis: the document that a ledger starts from, and the rows it becomes. Its hash is in the first header."""

from typing import Annotated

from msgspec import Meta

from stoa.kernel import limits, signing
from stoa.kernel.codec import Malformed, Shape, decoder, encode, read
from stoa.kernel.hashing import tagged
from stoa.kernel.identifiers import Country, InstitutionId, PartyId, account_id
from stoa.kernel.time import Time
from stoa.ledger.governance.model import BOUNDS, DEFAULTS, FOUNDING, PARAMETERS, VALIDATORS
from stoa.ledger.identity.model import (
    ACCOUNTS,
    INSTITUTIONS,
    OPERATORS,
    PARTIES,
    Account,
    Institution,
    Keys,
    Name,
    Party,
    Role,
    Threshold,
)
from stoa.ledger.state import State


class Founder(Shape):
    """An institution that is there from the start. ``validator`` is its voting key, or empty if it runs none."""

    institution: InstitutionId
    name: Name
    country: Country
    roles: tuple[Role, ...]
    party: PartyId
    threshold: Threshold
    keys: Keys
    validator: Annotated[bytes, Meta(max_length=33)]


class Parameter(Shape):
    """A governed number that differs from its default."""

    name: Annotated[str, Meta(max_length=64)]
    value: int


class Genesis(Shape):
    """The first members, the first parameters, the time that the ledger starts at (milliseconds)."""

    chain: Annotated[str, Meta(min_length=1, max_length=limits.MAX_CODE)]
    time: Time
    founders: Annotated[tuple[Founder, ...], Meta(min_length=1, max_length=256)]
    parameters: Annotated[tuple[Parameter, ...], Meta(max_length=64)]


_READER = decoder(Genesis)


def read_genesis(raw: bytes) -> Genesis:
    """The genesis document behind its bytes. Raises Malformed, also where nobody could govern by it."""
    genesis = read(_READER, raw)
    for parameter in genesis.parameters:
        bounds = BOUNDS.get(parameter.name)
        if bounds is None or not bounds.low <= parameter.value <= bounds.high:
            raise Malformed("a parameter is unknown or out of its bounds", parameter.name)
    keys = [founder.validator for founder in genesis.founders if founder.validator]
    if not 1 <= len(keys) <= limits.MAX_VALIDATORS or len(dict.fromkeys(keys)) < len(keys):
        raise Malformed(f"there must be 1 to {limits.MAX_VALIDATORS} validators with different voting keys")
    if not all(signing.is_public_key(key) for key in keys):
        raise Malformed("a voting key is not a point of secp256k1")
    return genesis


def genesis_hash(raw: bytes) -> bytes:
    """What the header at height 0 commits to."""
    return tagged("stoa.genesis", raw)


def apply_genesis(view: State, genesis: Genesis) -> None:
    """Enter the founders, the validators and the parameters into an empty state."""
    for founder in genesis.founders:
        account = account_id(founder.threshold, founder.keys)
        view.put(
            INSTITUTIONS,
            founder.institution,
            Institution(founder.name, founder.country, founder.roles, account, True),
        )
        view.put(OPERATORS, account, founder.institution)
        view.put(PARTIES, founder.party, Party(True, founder.institution, genesis.time))
        view.put(
            ACCOUNTS,
            account,
            Account(founder.party, founder.institution, founder.threshold, founder.keys, False, b"", genesis.time),
        )
        if founder.validator:
            view.put(VALIDATORS, founder.institution, founder.validator)
    chosen = {parameter.name: parameter.value for parameter in genesis.parameters}
    for name, value in {**{name: DEFAULTS[name] for name in FOUNDING}, **chosen}.items():
        view.put(PARAMETERS, name, value)


def encode_genesis(genesis: Genesis) -> bytes:
    """The document's canonical bytes. Raises Malformed where a field is out of its bounds."""
    raw = encode(genesis)
    read_genesis(raw)
    return raw
