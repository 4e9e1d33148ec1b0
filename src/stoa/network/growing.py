"""Members that come and go while the network runs: the new one's house, certificates, lists, routes and the plan.

Every step looks first whether it was done, so that what a crash has left half done is done by the same command again.
A new house is made beside its place and moved there whole. A new member's ordering server keeps no log: it passes
messages on, and how many servers make the log's majority stays as it was.
Does not own: what the ledger says of members, which is voted on (``deciding``), nor the programs (``running``).
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from stoa.custody import durable
from stoa.custody.secret import Secret
from stoa.ledger.catalog import read_genesis
from stoa.network import folders
from stoa.network.certificates import Authority
from stoa.network.founding import (
    House,
    certify,
    furnish,
    genesis_of,
    house_of,
    make_house,
    told_of,
    write_access,
)
from stoa.network.plan import Member, Plan, write_plan
from stoa.network.register import Register
from stoa.network.renewal import Reload
from stoa.network.server_conf import with_routes
from stoa.node.config import FILE, config_text, load_config
from stoa.node.found import found

UNFINISHED: Final = ".new"  # behind the name of a folder that is not whole yet


class CannotGrow(Exception):
    """This network cannot take or lose a member; the message says why."""


def with_member(plan: Plan, member: Member) -> Plan:
    """The plan with one member more, or as it is. Raises CannotGrow."""
    if len(plan.members) < 2:
        raise CannotGrow("a network of one has no routes between servers: found one of at least two")
    others = tuple(one for one in plan.members if one.code != member.code)
    return plan if member in plan.members else msgspec.structs.replace(plan, members=(*others, member))


def without_member(plan: Plan, code: str) -> Plan:
    """The plan without a member. Raises LookupError and CannotGrow."""
    gone = plan.member(code)
    left = tuple(one for one in plan.members if one is not gone)
    copies = sum(one.log for one in left)
    if gone.log and copies <= plan.replicas // 2:
        raise CannotGrow(f"{code} keeps the log, and {copies} of its {plan.replicas} copies would be left: too few")
    return msgspec.structs.replace(plan, members=left)


def settle(plan: Plan, folder: Path, member: Member, peer: str, passphrase: Secret, policy: str, now: int) -> House:
    """The member's house, made if it is not there; ``peer`` is the one that it is told of, or nobody for all.

    Raises KeystoreError.
    """
    inner, told = folder / member.code, told_of(plan, member, peer)
    if not inner.is_dir():
        with made_whole(inner) as fresh:
            make_house(fresh, told, member, passphrase, policy, now)
            found(fresh, read_genesis(require_genesis(plan, folder)))
    furnish(told, member, inner)
    return house_of(inner, member.code, passphrase)


@contextmanager
def made_whole(inner: Path) -> Iterator[Path]:
    """A folder to fill that is in its place once all is in it. What a crash left of an earlier one is removed."""
    fresh = inner.with_name(inner.name + UNFINISHED)
    shutil.rmtree(fresh, ignore_errors=True)
    yield fresh
    fresh.rename(inner)


def require_genesis(plan: Plan, folder: Path) -> bytes:
    """The genesis that a newcomer's ledger begins with. Raises CannotGrow."""
    document = genesis_of(plan, folder)
    if document is None:
        raise CannotGrow(f"no member's folder with the network's genesis is in {folder}")
    return document


def let_in(plan: Plan, folder: Path, member: Member, passphrase: Secret, reload: Reload) -> None:
    """Certificates for the member if it has none in use, and the lists, routes and plan of everybody here.

    Raises KeystoreError, NotUp.
    """
    register = Register(folder / folders.AUTHORITY)
    if not any(one.code == member.code for one in register.active):
        authority = Authority(folder / folders.AUTHORITY, passphrase)
        register.enter(certify(plan, member, folder, authority, passphrase, register.next_number(member.code)))
    write_access(plan, folder, register)
    tell_all(plan, folder, but=member.code)
    reload()


def shut_out(plan: Plan, folder: Path, code: str, reload: Reload) -> None:
    """Nobody is let in as ``code`` any more, and the plan, which is without it, is everybody's. Raises NotUp."""
    register = Register(folder / folders.AUTHORITY)
    register.shut_out(code, "revoked", register.next_number(code))
    write_access(plan, folder, register)
    _routes(plan, folder)
    reload()
    tell_all(plan, folder)


def tell_all(plan: Plan, folder: Path, but: str = "") -> None:
    """Routes, servers and plan of the members here; the plan of the whole network last, if it is here: as long as it is
    the old one, a command is not done. ``but`` has its routes already, and may have been told of one member alone."""
    _routes(plan, folder, but)
    _servers(plan, folder)
    for path in (*(folder / code for code in plan.codes if (folder / code).is_dir()), folder):
        if path != folder or (folder / folders.PLAN).is_file():
            write_plan(plan, path / folders.PLAN)


def _routes(plan: Plan, folder: Path, but: str = "") -> None:
    for code in plan.codes:
        path = folder / code / folders.SERVER_CONF
        if path.is_file() and code != but:
            text = path.read_text(encoding="utf-8")
            if (changed := with_routes(text, plan)) != text:
                durable.write(path, changed.encode())


def _servers(plan: Plan, folder: Path) -> None:
    """No validator here turns to the server of one who is a member no more, from its next start on: to servers that
    let it in no longer, that one leads nowhere."""
    there = {one.url for one in plan.members}
    for inner in (folder / code for code in plan.codes if (folder / code / FILE).is_file()):
        config = load_config(inner)
        assert config.network is not None, "a member's house has a network"
        left = tuple(url for url in config.network.servers if url in there)
        if left != config.network.servers:
            network = msgspec.structs.replace(config.network, servers=left)
            changed = msgspec.structs.replace(config, network=network)
            durable.write(inner / FILE, config_text(changed).encode())
