"""What a door needs of the house, handed over once. The API and the pages are built from one and the same value."""

from collections.abc import Callable
from dataclasses import dataclass

from stoa.api.projector import Projector
from stoa.custody.requests import Requests
from stoa.custody.sessions import Sessions
from stoa.custody.signer import Signer
from stoa.custody.users import Users
from stoa.custody.vault import Vault
from stoa.node.node import Node, wall_clock
from stoa.readmodel.views import Views


@dataclass(frozen=True)
class Services:
    """The open parts of one institution's house. Whoever opened them closes them, after the door."""

    node: Node
    views: Views
    projector: Projector
    users: Users
    sessions: Sessions
    requests: Requests
    signer: Signer
    vault: Vault
    clock: Callable[[], int] = wall_clock
