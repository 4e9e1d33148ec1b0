"""The signing policy: who may have what signed for which account, up to how much, and with whose consent.

A policy is a TOML file of *grants*. A transaction is allowed by the first grant, in the file's order, that
refuses nothing of it; so a grant with a low limit followed by one with a higher limit and approvals is an
escalation. When every grant refuses, the reasons are those of the closest. What nothing grants is refused.

Owns: the decision. Does not own: what was used today and who has approved (``book``), signing (``signer``).
"""

import tomllib
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from stoa.custody import refusals as why
from stoa.custody.refusals import Refusal
from stoa.kernel import limits
from stoa.kernel.codec import Shape
from stoa.kernel.identifiers import BadAddress, parse_address
from stoa.kernel.time import SECOND

MAX_GRANTS: Final = 256
MAX_ITEMS: Final = 256  # users, roles, accounts, patterns or limits of one grant
MAX_APPROVALS: Final = 8
MAX_LIFE_S: Final = 24 * 3_600  # an intent lives at most as long as a transaction may
ANY: Final = "*"
LINKED: Final = "linked"  # the accounts linked to the user

_Name = Annotated[str, Meta(min_length=1, max_length=64)]
_Names = Annotated[tuple[_Name, ...], Meta(max_length=MAX_ITEMS)]
_Amount = Annotated[int, Meta(ge=0, le=limits.MAX_UNITS)]
GRAVITY: Final[tuple[type[Refusal], ...]] = (
    why.UnknownUser,
    why.NoGrant,
    why.AccountNotGranted,
    why.NoKey,
    why.InstructionNotGranted,
    why.IntentExpired,
    why.AssetWithoutLimit,
    why.OverTransactionLimit,
    why.OverDailyLimit,
)

STARTER: Final = """\
# Who may have what signed, in the order in which grants are tried. A user, his roles and accounts: `stoa users add`.

[[grant]]
id = "investors"
roles = ["investor"]
accounts = ["linked"]
instructions = ["settlement.transfer.*", "settlement.settle.*", "offerings.subscribe.*", "offerings.withdraw.*"]

[[grant]]
id = "clerks"
roles = ["clerk"]
accounts = ["linked"]
instructions = ["*"]
"""


class PolicyError(ValueError):
    """The policy file does not say what a policy can say; the message names the place."""


class Actor(Shape):
    """A user as the policy sees him."""

    user: str
    roles: tuple[str, ...]
    accounts: tuple[bytes, ...]  # linked to him


class Summary(Shape):
    """One instruction in short: its tag, the account whose authority it uses, the units it moves or 0."""

    tag: str
    account: bytes
    asset: str
    units: int

    def __post_init__(self) -> None:
        if not 0 <= self.units <= limits.MAX_UNITS:
            raise ValueError("units are 0 or more")  # a negative number would give back what a limit took


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Units of an asset (``*``: any other) in one transaction and in a user's UTC day; None: no limit."""

    asset: _Name
    per_transaction: _Amount | None = None
    per_day: _Amount | None = None


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What some users may have signed. ``instructions`` are tags or patterns such as ``trading.*``."""

    id: _Name
    accounts: _Names  # addresses, ``linked`` or ``*``
    instructions: _Names
    users: _Names = ()
    roles: _Names = ()
    limits: Annotated[tuple[Limit, ...], Meta(max_length=MAX_ITEMS)] = ()  # none at all: unlimited
    approvals: Annotated[int, Meta(ge=0, le=MAX_APPROVALS)] = 0  # by so many other users
    approvers: _Names = ()  # roles whose members may approve
    expires_after_s: Annotated[int, Meta(ge=1, le=MAX_LIFE_S)] = 900

    def covers(self, actor: Actor) -> bool:
        """Whether the grant speaks of this user."""
        return actor.user in self.users or any(role in self.roles for role in actor.roles)

    def reaches(self, actor: Actor, account: bytes) -> bool:
        """Whether the user may instruct for the account."""
        if ANY in self.accounts or (LINKED in self.accounts and account in actor.accounts):
            return True
        return any(named not in (ANY, LINKED) and parse_address(named) == account for named in self.accounts)

    def limit(self, asset: str) -> Limit | None:
        """The limit for the asset: its own, or else the one for any."""
        by_asset = {limit.asset: limit for limit in self.limits}
        return by_asset.get(asset, by_asset.get(ANY))


class Request(msgspec.Struct, frozen=True):
    """The question put to a policy. ``used`` tells (grant, asset) → units signed for the user today."""

    actor: Actor
    account: bytes
    summaries: tuple[Summary, ...]
    created: int
    now: int
    used: Mapping[tuple[str, str], int]
    has_key: bool


class Decision(msgspec.Struct, frozen=True):
    """The grant that allows the transaction, or every reason of the closest one, gravest first."""

    grant: Grant | None
    refusals: tuple[Refusal, ...]


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The grants in their order, and the key names of accounts that are not controlled by one key alone."""

    grant: Annotated[tuple[Grant, ...], Meta(max_length=MAX_GRANTS)] = ()
    keys: dict[str, _Names] = {}  # address → key names

    def named(self, grant: str) -> Grant | None:
        """The grant of this id."""
        return next((one for one in self.grant if one.id == grant), None)

    def key_names(self, account: bytes) -> tuple[str, ...]:
        """The names of the keys that sign for the account, if the policy names any."""
        return next((names for text, names in self.keys.items() if parse_address(text) == account), ())

    def decide(self, request: Request) -> Decision:
        """Whether the transaction may be signed, and if not, why not."""
        covering = [grant for grant in self.grant if grant.covers(request.actor)]
        if not covering:
            return Decision(None, (why.NoGrant(request.actor.user),))
        answers = [(grant, refusals(grant, request)) for grant in covering]
        for grant, reasons in answers:
            if not reasons:
                return Decision(grant, ())
        latest_first = [reasons for _, reasons in reversed(answers)]  # on a tie, the widest of an escalation
        return Decision(None, max(latest_first, key=_closeness))


def refusals(grant: Grant, request: Request) -> tuple[Refusal, ...]:
    """Every reason why this grant does not allow the transaction, gravest first; none if it does."""
    found = [*_wrong_place(grant, request), *_wrong_amount(grant, request)]
    return tuple(sorted(dict.fromkeys(found), key=_gravity))


def _closeness(reasons: tuple[Refusal, ...]) -> tuple[int, int]:
    """How little keeps a grant from allowing: the less grave the first reason and the fewer, the closer."""
    return _gravity(reasons[0]), -len(reasons)


def _gravity(refusal: Refusal) -> int:
    return GRAVITY.index(type(refusal))


def _wrong_place(grant: Grant, request: Request) -> list[Refusal]:
    user, found = request.actor.user, list[Refusal]()
    touched = (request.account, *(summary.account for summary in request.summaries))
    found += [why.AccountNotGranted(user, account) for account in touched if not grant.reaches(request.actor, account)]
    if not request.has_key:
        found.append(why.NoKey(request.account))
    found += [
        why.InstructionNotGranted(user, summary.tag)
        for summary in request.summaries
        if not any(fnmatchcase(summary.tag, pattern) for pattern in grant.instructions)
    ]
    expires = request.created + grant.expires_after_s * SECOND
    if not request.created <= request.now <= expires:
        found.append(why.IntentExpired(request.created, expires, request.now))
    return found


def _wrong_amount(grant: Grant, request: Request) -> list[Refusal]:
    found = list[Refusal]()
    for asset, units in moved(request.summaries).items():
        limit = grant.limit(asset)
        if limit is None:
            if grant.limits:
                found.append(why.AssetWithoutLimit(grant.id, asset))
            continue
        if limit.per_transaction is not None and units > limit.per_transaction:
            found.append(why.OverTransactionLimit(grant.id, asset, units, limit.per_transaction))
        used = request.used.get((grant.id, asset), 0)
        if limit.per_day is not None and used + units > limit.per_day:
            found.append(why.OverDailyLimit(grant.id, asset, units, used, limit.per_day))
    return found


def moved(summaries: Sequence[Summary]) -> dict[str, int]:
    """Units by asset that a transaction moves, over all its instructions."""
    total: dict[str, int] = {}
    for summary in summaries:
        if summary.units:
            total[summary.asset] = total.get(summary.asset, 0) + summary.units
    return total


def load(path: Path) -> Policy:
    """The policy in a TOML file. Raises PolicyError or FileNotFoundError."""
    return parse(path.read_text(encoding="utf-8"))


def parse(text: str) -> Policy:
    """The policy in a TOML text. Raises PolicyError."""
    try:
        policy = msgspec.convert(tomllib.loads(text), Policy)
        for named in [*policy.keys, *(account for grant in policy.grant for account in grant.accounts)]:
            if named not in (ANY, LINKED):
                parse_address(named)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, BadAddress) as error:
        raise PolicyError(str(error)) from None
    _check(policy)
    return policy


def _check(policy: Policy) -> None:
    names = [grant.id for grant in policy.grant]
    for grant in policy.grant:
        if names.count(grant.id) > 1:
            raise PolicyError(f"two grants are called {grant.id}")
        if not grant.users and not grant.roles:
            raise PolicyError(f"the grant {grant.id} names no user and no role")
        if grant.approvals and not grant.approvers:
            raise PolicyError(f"the grant {grant.id} asks for approvals but names no approvers")
        assets = [limit.asset for limit in grant.limits]
        if len(set(assets)) != len(assets):
            raise PolicyError(f"the grant {grant.id} limits an asset twice")
