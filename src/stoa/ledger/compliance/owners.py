"""Who may change what a scope's movements obey: the owners of its profile, all of them."""

from collections.abc import Generator

from stoa.kernel.base import Context, Rejection
from stoa.ledger.compliance.errors import ProfileUnknown
from stoa.ledger.compliance.model import PROFILES, Profile
from stoa.ledger.identity.authority import unsigned
from stoa.ledger.identity.errors import NotAuthorised
from stoa.ledger.state import State


def owned(view: State, ctx: Context, scope: str) -> Generator[Rejection, None, Profile | None]:
    """The scope's profile, None if there is none. Yields ProfileUnknown, NotAuthorised."""
    profile = view.get(PROFILES, scope)
    if profile is None:
        yield ProfileUnknown(scope)
        return None
    missing = unsigned(view, ctx, profile.owners)
    if missing:
        yield NotAuthorised(" and ".join(missing))
    return profile
