"""Network namespaces as hosts: each member has its own, with one cable to a switch that only the members share.

Partition is by routing rules inside the member's namespace, so that packets vanish silently, as they do between real
hosts; what is inside a host (its own server, its gateway, monitoring) goes on. Needs root and iproute2. Every name
begins with the network's own prefix, and ``pull_down`` removes them all. Does not own: what runs in them.
"""

import ctypes
import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from stoa.network.plan import SUBNET, Member, Plan

NAMESPACES: Final = Path("/var/run/netns")
CLONE_NEWNET: Final = 0x40000000
ASK_SECONDS: Final = 20
OUT_RULE: Final = "20"
IN_RULE: Final = "21"
LOCAL_RULE: Final = "30"  # the kernel's own rule stands first, where no other could come before it; so it is moved

Way = Literal["both", "in", "out"]


class NoHosts(Exception):
    """Network namespaces cannot be had here, or this network does not use them; the message says what to do."""


class Hosts:
    """The namespaces of one network."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan = plan
        self._prefix = "st" + sha256(str(folder.resolve()).encode()).hexdigest()[:6]

    def namespace(self, member: Member) -> str:
        """The name of the member's namespace."""
        return f"{self._prefix}-{member.code}"

    def has(self, member: Member) -> bool:
        """Whether the member's namespace is there."""
        return (NAMESPACES / self.namespace(member)).exists()

    def inside(self, member: Member) -> list[str]:
        """What a command is run through to run inside the member's host."""
        return ["ip", "netns", "exec", self.namespace(member)]

    def set_up(self) -> None:
        """Make switch, namespaces and cables that are not there. Raises NoHosts."""
        if os.geteuid() != 0 or shutil.which("ip") is None:
            raise NoHosts("network namespaces need root and the program ip (Debian: iproute2)")
        if not Path(f"/sys/class/net/{self._prefix}").exists():
            _ip("link", "add", self._prefix, "type", "bridge")
        _ip("link", "set", self._prefix, "up")
        for number, member in enumerate(self._plan.members):
            if not self.has(member):
                self._add(number, member)

    def _add(self, number: int, member: Member) -> None:
        space, cable = self.namespace(member), f"{self._prefix}.{number}"
        _ip("netns", "add", space)
        _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
        _ip("link", "set", cable, "master", self._prefix, "up")
        _ip("-n", space, "addr", "add", f"{member.host}/24", "dev", "eth0")
        for link in ("lo", "eth0"):
            _ip("-n", space, "link", "set", link, "up")
        _ip("-n", space, "rule", "add", "pref", "10", "to", member.host, "iif", "lo", "lookup", "local")
        _ip("-n", space, "rule", "add", "pref", LOCAL_RULE, "lookup", "local")
        _ip("-n", space, "rule", "del", "pref", "0")

    def pull_down(self) -> None:
        """Remove everything of this network; what is not there is no complaint."""
        for member in self._plan.members:
            if self.has(member):
                _ip("netns", "del", self.namespace(member))
        if Path(f"/sys/class/net/{self._prefix}").exists():
            _ip("link", "del", self._prefix)

    def cut(self, member: Member, way: Way) -> None:
        """Let nothing reach the member's host (``in``), nothing leave it (``out``), or both. Raises NoHosts."""
        self.heal(member)
        if way in ("out", "both"):
            self._rule(member, "add", OUT_RULE, "to", f"{SUBNET}.0/24", "iif", "lo", "blackhole")
        if way in ("in", "both"):
            self._rule(member, "add", IN_RULE, "from", f"{SUBNET}.0/24", "iif", "eth0", "blackhole")

    def heal(self, member: Member) -> None:
        """Let everything through again. Raises NoHosts."""
        if not self.has(member):
            raise NoHosts(f"{member.code} has no network namespace: the network is not up")
        cut = self.way(member)
        for pref, ways in ((OUT_RULE, ("out", "both")), (IN_RULE, ("in", "both"))):
            if cut in ways:
                self._rule(member, "del", pref)

    def way(self, member: Member) -> Way | None:
        """How the member is cut off; None: not at all."""
        if not self.has(member):
            return None
        prefs = [line.partition(":")[0] for line in _ip("-n", self.namespace(member), "rule", "list").splitlines()]
        out, into = OUT_RULE in prefs, IN_RULE in prefs
        return "both" if out and into else "out" if out else "in" if into else None

    def _rule(self, member: Member, act: str, pref: str, *rest: str) -> None:
        _ip("-n", self.namespace(member), "rule", act, "pref", pref, *rest)


def enter(namespace: str) -> None:
    """Put the calling thread, and it alone, into a namespace. Let the thread end afterwards. Raises NoHosts."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        handle = os.open(NAMESPACES / namespace, os.O_RDONLY)
    except OSError:
        raise NoHosts(f"there is no network namespace {namespace}") from None
    try:
        if libc.setns(handle, CLONE_NEWNET) != 0:
            raise NoHosts(f"cannot enter {namespace}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(handle)


def _ip(*words: str) -> str:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=ASK_SECONDS, check=False)
    if done.returncode != 0:
        raise NoHosts(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
