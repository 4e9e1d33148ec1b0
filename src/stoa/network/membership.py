"""An institution joins a running network, or leaves it: the whole way, each step repeatable.

Joining: a house with keys of its own; certificates, lists, routes and the plan, which servers read without a stop; the
registrar admits the institution; its programs start, and it catches up; the members vote it a seat. Leaving: the
members vote; its programs stop here; nobody is let in under its name, and the plan is without it.
Does not own: the steps themselves (``growing``, ``deciding``).
"""

import secrets
from collections.abc import Callable
from typing import Any, Final

from stoa.custody.policy import STARTER
from stoa.custody.secret import Secret
from stoa.custody.vault import MAX_PARTY
from stoa.demo.dossier import Institution
from stoa.kernel.identifiers import account_id
from stoa.network import folders
from stoa.network.certificates import Authority
from stoa.network.deciding import Deciding, NotDecided, require_applied, require_quorum
from stoa.network.founding import House
from stoa.network.growing import CannotGrow, let_in, settle, shut_out, with_member, without_member
from stoa.network.plan import Member
from stoa.network.running import Part, Running, Told
from stoa.node.node import wall_clock

CATCH_UP_SECONDS: Final = 60.0


def join(net: Running, member: Member, peer: str, passphrase: Secret, told: Told) -> House:
    """Take a member in. Raises CannotGrow, KeystoreError, NotUp, NotDecided, NoHosts, NoProgram."""
    plan = with_member(net.plan, member)
    deciding = Deciding(net, passphrase)
    _require_able(deciding, net, member)
    Authority(net.folder / folders.AUTHORITY, passphrase)  # a wrong passphrase would make a house that nobody opens
    house = settle(plan, net.folder, member, peer, passphrase, STARTER, wall_clock())
    told(member.code, "server", "has a folder with its own keys")
    let_in(plan, net.folder, member, passphrase, net.reload)
    told(member.code, "server", "is let in by every ordering server")
    enrol(deciding, member.institution, house.public)
    told(member.code, "validator", "is an institution on the ledger")
    grown = Running(net.folder, told)
    grown.up((member,), ("server", "validator"), passphrase)
    grown.until_level(member, CATCH_UP_SECONDS)
    told(member.code, "validator", "has caught up")
    if member.code not in deciding.chamber().members.keys:
        change = {"tag": "admit", "institution": member.code, "key": house.voting.hex()}
        number = deciding.carry(change, f"{member.code} joins")
        told(member.code, "validator", "has a seat")
        silent = f"{member.code} has a seat and does not vote"
        deciding.blocks_until(deciding.voters()[0], number, lambda: grown.ready(member), silent)
    return house


def leave(net: Running, code: str, passphrase: Secret, told: Callable[[str, Part, str], None]) -> None:
    """Let a member go. Raises LookupError, CannotGrow, KeystoreError, NotUp, NotDecided."""
    plan, member = without_member(net.plan, code), net.plan.member(code)
    deciding = Deciding(net, passphrase)
    if code in deciding.chamber().members.keys:
        deciding.carry({"tag": "remove", "institution": code}, f"{code} leaves")
    told(code, "validator", "has no seat any more")
    if member in net.here:
        net.down((member,))
    shut_out(plan, net.folder, code, Running(net.folder).reload)
    told(code, "server", "is shut out")


def _require_able(deciding: Deciding, net: Running, member: Member) -> None:
    """Before anything is made: whether it has no seat yet, and those who run here can give it one."""
    who = deciding.chamber().members
    if member.code in who.keys and member in net.plan.members:
        raise CannotGrow(f"{member.code} is a member already, with a seat")
    require_quorum(who, sum(one.code in who.keys for one in deciding.here))


def enrol(deciding: Deciding, one: Institution, public: bytes) -> bool:
    """Have a registrar of those here enter the institution on the ledger; False if it is there.

    Raises NotDecided, also if the code is another institution's, and KeystoreError.
    """
    found = deciding.chamber()
    if one.code in found.accounts:
        if found.accounts[one.code] != account_id(1, (public,)):
            raise NotDecided(f"{one.code} is an institution on the ledger already, and that with another account")
        return False
    registrar = next((here for here in deciding.here if "registrar" in found.roles.get(here.code, ())), None)
    if registrar is None:
        raise NotDecided(f"no registrar runs here that could admit {one.code} as an institution")
    form: dict[str, Any] = {
        "tag": "identity.register_institution.v1", "institution": one.code, "name": one.name,
        "country": one.country, "roles": list(one.roles),
        "party": 1 + secrets.randbelow(MAX_PARTY), "threshold": 1, "keys": [public.hex()],
    }  # fmt: skip
    require_applied(deciding.act(registrar, form))
    return True
