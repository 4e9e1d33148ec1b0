"""The plan of a network: who its members are, where they are found, and the rule by which blocks become final.

Read from a file that people write (``examples/koscom-five.toml``); a mistake is named by file, line, field and rule.
The same form is kept in the network's folder and in each institution's, as ``network.toml``.
"""

import ipaddress
import re
from pathlib import Path
from typing import Final, Literal

import msgspec

from stoa.custody import durable
from stoa.demo.dossier import Institution
from stoa.demo.files import read_institution, require_each_once, require_registrar
from stoa.demo.reading import BadFile, Table, parse_toml, read_toml
from stoa.kernel import limits
from stoa.kernel.identifiers import is_code
from stoa.ledger.catalog import BOUNDS
from stoa.node.config import MAX_REPLICAS

__all__ = [
    "BadFile", "Member", "Plan", "Table", "member_elsewhere", "on_hosts", "parse_plan", "plan_text", "read_applicant",
    "read_newcomer", "read_plan", "require_free", "write_plan",
]  # fmt: skip

HERE: Final = "127.0.0.1"
FIRST_PORT: Final = 7100
PORT_STEP: Final = 10
PORTS: Final = 4  # of one institution: gateway, clients, cluster, monitor
SUBNET: Final = "10.77.0"  # of network namespaces: the bridge is .1, members follow from .11
FIRST_HOST: Final = 11
QUORUMS: Final = ("majority", "byzantine")
_TOKEN: Final = re.compile(r"^[A-Za-z0-9-]+$")  # one token of a subject: no dots
MEMBER_RULE: Final = f"1 to {limits.MAX_CODE} capital letters, digits and dashes, a letter or digit first"
_HOST: Final = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")

Quorum = Literal["majority", "byzantine"]


class Member(msgspec.Struct, frozen=True):
    """An institution with its place. Gateway and monitor listen on 127.0.0.1 of that place only.

    ``log``: its ordering server keeps the log. One that was added later passes messages on and keeps none, so that it
    can come and go without changing how many servers make the log's majority.
    """

    institution: Institution
    host: str
    port: int
    log: bool = True

    @property
    def code(self) -> str:
        """What it is called on the ledger, and its folder too."""
        return self.institution.code

    @property
    def clients(self) -> int:
        """The port of its ordering server for validators."""
        return self.port + 1

    @property
    def url(self) -> str:
        """Where validators find its ordering server."""
        return f"tls://{self.host}:{self.clients}"

    @property
    def cluster(self) -> int:
        """The port of its ordering server for the other servers."""
        return self.port + 2

    @property
    def monitor(self) -> int:
        """The port where its ordering server tells how it is."""
        return self.port + 3

    @property
    def address(self) -> str:
        """What its ordering server binds: the host if that is an address, else every address of the machine."""
        return self.host if _is_address(self.host) else "0.0.0.0"


class Plan(msgspec.Struct, frozen=True):
    """The whole network. ``hosts``: each member lives in a network namespace of its own on this machine."""

    chain: str
    quorum: Quorum
    replicas: int
    hosts: bool
    parameters: dict[str, int]
    members: tuple[Member, ...]

    def member(self, code: str) -> Member:
        """The member of this code. Raises LookupError, naming those there are."""
        for one in self.members:
            if one.code == code:
                return one
        raise LookupError(f"{code} is no member of {self.chain}: wanted is one of " + ", ".join(self.codes))

    @property
    def codes(self) -> tuple[str, ...]:
        """The members' codes, in the file's order."""
        return tuple(one.code for one in self.members)


def read_plan(path: Path, founding: bool = True) -> Plan:
    """The plan in a file. Raises BadFile.

    A network that is to be founded has a registrar, and a server for every copy of the log; one that runs may have
    lost some.
    """
    return _plan(read_toml(path), founding)


def parse_plan(name: str, text: str) -> Plan:
    """The plan of a network that runs, in a text that complaints call by the name. Raises BadFile."""
    return _plan(parse_toml(name, text), founding=False)


def _plan(file: Table, founding: bool) -> Plan:
    network = file.table("network")
    chain = network.text("chain", limits.MAX_CODE)
    if not _TOKEN.match(chain):
        raise network.bad("chain", "has letters, digits and dashes only", repr(chain))
    quorum: Quorum = "majority" if network.choice("quorum", QUORUMS) == "majority" else "byzantine"
    replicas = network.whole("replicas", 1, MAX_REPLICAS)
    hosts = network.flag("hosts") if network.has("hosts") else False
    network.finish()
    tables = file.tables("institution")
    if len(tables) > limits.MAX_VALIDATORS:
        raise file.bad("institution", f"at most {limits.MAX_VALIDATORS} validators make a network", len(tables))
    members = tuple(_member(table, number) for number, table in enumerate(tables))
    _agree(tables, members)
    keepers = sum(member.log for member in members)
    if replicas not in (1, 3, 5) or (founding and replicas > max(keepers, 1)):
        raise network.bad("replicas", f"is 1, 3 or 5, and not more than the {keepers} that keep the log", replicas)
    if keepers <= replicas // 2:
        raise network.bad("replicas", f"most copies of the log are left, and {keepers} keep one", replicas)
    if founding:
        require_registrar(tables, [one.institution for one in members])
    parameters = _parameters(file.table("parameters")) if file.has("parameters") else {}
    file.finish()
    return Plan(chain, quorum, replicas, hosts, parameters, members)


def _member(table: Table, number: int) -> Member:
    log = table.flag("log") if table.has("log") else True
    host = table.text("host", 253) if table.has("host") else HERE
    if not _HOST.match(host):
        raise table.bad("host", "wanted is an IPv4 address or the name of a host", repr(host))
    port = table.whole("port", 1_024, 65_535 - PORTS) if table.has("port") else FIRST_PORT + PORT_STEP * number
    code = table.text("code", limits.MAX_CODE)
    if not (is_code(code) and _TOKEN.match(code)):
        raise table.bad("code", f"a member's code is {MEMBER_RULE}", repr(code))
    member = Member(read_institution(table), host, port, log)
    if not member.institution.name.isprintable():
        raise table.bad("name", "a name has no line breaks or other control characters", repr(member.institution.name))
    return member


def _agree(tables: list[Table], members: tuple[Member, ...]) -> None:
    """Codes are used once, and no two institutions of a host want one port."""
    require_each_once(tables, [one.institution for one in members])
    taken: dict[tuple[str, int], str] = {}
    for table, member in zip(tables, members, strict=True):
        for port in range(member.port, member.port + PORTS):
            if other := taken.get((member.host, port)):
                rule = f"each institution uses {PORTS} ports from its own on; {other} has one of them"
                raise table.bad("port", rule, f"{member.host}:{port}")
            taken[member.host, port] = member.code


def read_newcomer(path: Path, plan: Plan) -> Member:
    """The one institution of a file, at a place that the plan has free. Raises BadFile.

    One that is in the plan already is that member, if the file says nothing else of it.
    """
    table = _only(path)
    placed = table.has("port")
    number = len(plan.members)
    while any(one.port == FIRST_PORT + PORT_STEP * number for one in plan.members):
        number += 1
    member = msgspec.structs.replace(_member(table, number), log=False)
    known = next((one for one in plan.members if one.code == member.code), None)
    if known is not None:
        if known.institution != member.institution or (placed and known.port != member.port):
            raise table.bad("code", "the code is taken by another member", repr(member.code))
        return known
    if plan.hosts:
        member = msgspec.structs.replace(member, host=_free_host(plan))
    require_free(table, plan, member)
    return member


def read_applicant(path: Path) -> Member:
    """The one institution of a file, at a place on a host of its own. Raises BadFile."""
    return member_elsewhere(_only(path))


def member_elsewhere(table: Table) -> Member:
    """The institution that a table tells of, which says itself where it is; it keeps no log. Raises BadFile."""
    table.raw("host", "the address or name by which the others find its host")
    table.raw("port", "the first of the ports that it uses there")
    return msgspec.structs.replace(_member(table, 0), log=False)


def require_free(table: Table, plan: Plan, member: Member) -> None:
    """Raise BadFile about the table if the plan has no room for the member, or its place is taken."""
    if len(plan.members) >= limits.MAX_VALIDATORS:
        raise table.bad("code", f"at most {limits.MAX_VALIDATORS} validators make a network", repr(member.code))
    for one in plan.members:
        if one.host == member.host and abs(one.port - member.port) < PORTS:
            rule = f"each institution uses {PORTS} ports from its own on; {one.code} has one of them"
            raise table.bad("port", rule, f"{member.host}:{member.port}")


def _only(path: Path) -> Table:
    """The one institution of a file. Raises BadFile."""
    file = read_toml(path)
    tables = file.tables("institution")
    file.finish()
    if len(tables) != 1:
        raise file.bad("institution", "one institution is added at a time", len(tables))
    return tables[0]


def _free_host(plan: Plan) -> str:
    """The address of the next network namespace."""
    return f"{SUBNET}.{1 + max(int(one.host.rpartition('.')[2]) for one in plan.members)}"


def _parameters(table: Table) -> dict[str, int]:
    found = {
        name: table.whole(name, bound.low, bound.high)
        for name, bound in BOUNDS.items()
        if name != "quorum" and table.has(name)
    }
    table.finish()
    return found


def on_hosts(plan: Plan) -> Plan:
    """The same network with each member at an address of its own, for network namespaces."""
    members = tuple(
        msgspec.structs.replace(one, host=f"{SUBNET}.{FIRST_HOST + number}") for number, one in enumerate(plan.members)
    )
    return msgspec.structs.replace(plan, hosts=True, members=members)


def write_plan(plan: Plan, path: Path) -> None:
    """Write the plan in the form that it is read from, in the place of the old one at once."""
    durable.write(path, plan_text(plan).encode())


def plan_text(plan: Plan) -> str:
    """The plan in the form that it is read from."""
    lines = ["# The network: who its members are. Every member has the same file.", "", "[network]"]
    lines += [f'chain = "{plan.chain}"', f'quorum = "{plan.quorum}"', f"replicas = {plan.replicas}"]
    lines += [f"hosts = {str(plan.hosts).lower()}  # true: each member in a network namespace of its own"]
    lines += ["", "[parameters]", *(f"{name} = {value}" for name, value in plan.parameters.items())]
    for one in plan.members:
        roles = ", ".join(f'"{role}"' for role in one.institution.roles)
        name = one.institution.name.replace("\\", "\\\\").replace('"', '\\"')
        lines += ["", "[[institution]]", f'code = "{one.code}"', f'name = "{name}"']
        lines += [f'country = "{one.institution.country}"', f"roles = [{roles}]"]
        lines += [f'host = "{one.host}"', f"port = {one.port}"]
        lines += [] if one.log else ["log = false  # its ordering server passes messages on and keeps none"]
    return "\n".join(lines) + "\n"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
