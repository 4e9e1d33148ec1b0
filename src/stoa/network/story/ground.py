"""Five institutions as the ground of the story: ordering servers and validators as processes, one house in this one.

The house that acts is in this process, as on one machine; the four others are in processes of their own. What an author
signs is submitted at his own institution's validator, or, while that is down, at the house. Promises: what was started
is stopped, also after a failure.
"""

import time
from pathlib import Path
from statistics import median
from typing import Any, Final

from stoa.api.opening import OpenHouse
from stoa.client import Client, join_proofs
from stoa.client.seal import Seal
from stoa.custody import durable
from stoa.custody.secret import Secret
from stoa.custody.users import Users
from stoa.demo.cast import PASSPHRASE, Cast, keys_of_house, secret, voting_key
from stoa.demo.chapters.people import ISSUER, VISITOR
from stoa.demo.clock import SharedClock
from stoa.demo.dossier import Dossier
from stoa.demo.files import NETWORK
from stoa.demo.ground import POLICY, Ground, StageError
from stoa.demo.report import Aside
from stoa.kernel import signing
from stoa.network import folders
from stoa.network.founding import config_of, equip
from stoa.network.plan import HERE, Member, Plan
from stoa.network.running import Running
from stoa.network.story.outage import Outage, standing_of
from stoa.network.story.validator import command
from stoa.node.config import write_config
from stoa.node.found import found
from stoa.node.node import wall_clock
from stoa.wire.proof import RowProof, read_proof
from stoa.wire.vote import certificate_valid

CLOCK: Final = "story-clock"
KILLED_IN, BACK_IN, PROVEN_IN = 4, 6, 7  # chapters: one is out while the market opens and income is paid
PATIENCE: Final = 60.0
GLANCE: Final = 0.05
REST: Final = 0.4  # seconds in which nobody makes a block: twice as long as a producer looks for due work
AUDITOR: Final = "auditor"  # a user of every house who may see the line that is proven


class Network(Ground):
    """In ``folder``, which is new: a folder in it for each institution."""

    def __init__(self, folder: Path, dossier: Dossier, ports: list[int]) -> None:
        """``ports``: the first port of each validator's institution, the house that acts first."""
        super().__init__(folder, dossier, ports[0])
        self.plan = _plan(dossier, ports)
        self.folder = folder / dossier.terms.validator
        self.own, *self.others = self.plan.members
        self._clients: dict[str, Client] = {}
        self._submitted = dict.fromkeys(self.plan.codes, 0)
        self._seconds: list[float] = []
        self._outage: Outage | None = None
        self._meanwhile = (0, 0)  # the first and the last of ``_seconds`` that were taken while one was out
        self._roots: dict[str, str] = {}
        self._running: Running | None = None

    # setting up

    def open(self) -> OpenHouse:
        """Found the network, start it, and open the house. Raises NotUp, NoProgram and StageError."""
        passphrase = Secret(PASSPHRASE)
        durable.private_directory(self.root)
        clock = SharedClock.begin(self.root / CLOCK, self.dossier.terms.starts)
        self.clock = clock
        self._found(passphrase)
        running = self._running = Running(self.root, validator=command(self.root / CLOCK))
        running.up(self.plan.members, ("server",))
        running.up(self.others, ("validator",), passphrase)
        self.house = OpenHouse(self.folder, passphrase, clock, time_of=clock.story_time)
        self._clients = {one.code: Client(f"http://{HERE}:{one.port}") for one in self.others}
        self._rest()
        return self.house

    def _found(self, passphrase: Secret) -> None:
        starts, voting = self.dossier.terms.starts, {}
        for one in self.plan.members:
            for inner in ("", folders.CERTIFICATES, folders.STORE):
                durable.private_directory(self.root / one.code / inner)
        for one in self.others:
            voting[one.code] = voting_key(keys_of_house(self.root / one.code, one.code, starts))
        self.cast = Cast(self.folder, self.dossier, voting)
        for one in self.plan.members:
            found(self.root / one.code, self.cast.genesis)
            write_config(self.root / one.code, config_of(self.plan, one))
            (self.root / one.code / "policy.toml").write_text(POLICY, encoding="utf-8")
        equip(self.plan, self.root, passphrase, wall_clock())

    def close(self) -> None:
        """Close the house, and stop validators and servers."""
        if self._outage is not None:
            self._outage.close()
        for client in self._clients.values():
            client.close()
        super().close()
        if self._running is not None:
            self._running.down(self.plan.members)

    # acting

    def gateway(self, author: str) -> Client | None:
        """The validator of the author's institution, or of the one that keeps his account, if it is up."""
        code = self._home(author)
        out = self._outage is not None and not self._outage.over and self._outage.member.code == code
        client = None if out else self._clients.get(code)
        self._submitted[code if client else self.own.code] += 1
        return client

    def _home(self, author: str) -> str:
        terms = self.dossier.terms
        keepers = {one.id: one.broker for one in self.dossier.investors}
        keepers |= {ISSUER: terms.issuer_broker, VISITOR: terms.issuer_broker}
        return keepers.get(author.partition(".")[0], author)

    def sent(self, seconds: float) -> None:
        """Remember how long."""
        self._seconds.append(seconds)

    # telling

    def enter(self, chapter: int) -> list[Aside]:
        """One validator fails, and returns."""
        if chapter == 1:
            return [self._introduced()]
        if chapter == KILLED_IN:
            return [self._killed()]
        if chapter == BACK_IN and self._outage is not None:
            return [self._coming_back(self._outage)]
        if chapter == PROVEN_IN and self._outage is not None:
            self._rest()
            return [self._caught_up(self._outage)]
        return []

    def _introduced(self) -> Aside:
        codes, quorum = ", ".join(self.plan.codes), self.house.node.members().quorum
        many = len(self.plan.members)
        return Aside(
            f"{many} institutions keep this ledger, each with a validator and an ordering server of its own: {codes}. "
            f"A block is final with the votes of {quorum}.",
            f"{many}개 기관이 각자의 검증인과 순서 서버로 이 원장을 함께 유지합니다: {codes}. "
            f"블록은 {quorum}개 기관의 투표로 확정됩니다.",
        )

    def _killed(self) -> Aside:
        assert self._running is not None
        self._outage = Outage(self._running, self.others[-1], lambda: self.house.node.health().height)
        self._meanwhile = len(self._seconds), len(self._seconds)
        code, height, left = self._outage.member.code, self._outage.since, len(self.others)
        return Aside(
            f"The validator of {code} is killed at block {height}. {left} go on without it; its customers submit at "
            f"{self.own.code}.",
            f"{code}의 검증인이 블록 {height}에서 강제 종료됩니다. 나머지 {left}개가 계속하고, 고객은 "
            f"{self.own.code}에 제출합니다.",
        )

    def _coming_back(self, outage: Outage) -> Aside:
        outage.come_back(Secret(PASSPHRASE))
        self._meanwhile = self._meanwhile[0], len(self._seconds)
        code, without = outage.member.code, outage.until - outage.since
        slowest = self._slowest(*self._meanwhile)
        return Aside(
            f"{code} is started again. {without} blocks were made without it; the slowest transaction meanwhile took "
            f"{slowest} ms.",
            f"{code}을(를) 다시 시작합니다. 그동안 {without}개 블록이 만들어졌고, 가장 느린 거래는 {slowest}밀리초 "
            "걸렸습니다.",
        )

    def _caught_up(self, outage: Outage) -> Aside:
        code, seconds, height = outage.member.code, f"{outage.seconds:.1f}", self.house.node.health().height
        return Aside(
            f"{code} has caught up, {seconds} s after its start. All {len(self.plan.members)} stand at block {height} "
            "with one hash.",
            f"{code}이(가) 시작 {seconds}초 만에 따라잡았습니다. {len(self.plan.members)}개 모두 같은 해시의 블록 "
            f"{height}에 있습니다.",
        )

    def _slowest(self, first: int, last: int) -> int:
        return round(1_000 * max(self._seconds[first:last], default=0.0))

    # proving

    def _rest(self) -> None:
        """Wait until all stand at one block, and nobody makes another."""
        deadline, since, before = time.monotonic() + PATIENCE, time.monotonic(), ""
        while True:
            block = self.house.node.health().block_hash.hex()
            together = all(standing_of(one).get("block_hash") == block for one in self.others)
            if not together or block != before:
                before, since = block, time.monotonic()
            elif time.monotonic() - since >= REST and (self._outage is None or self._outage.over):
                return
            if time.monotonic() > deadline or self.house.node.failure:
                behind = [one.code for one in self.others if standing_of(one).get("block_hash") != block]
                raise StageError(self.house.node.failure or f"not at the last block: {', '.join(behind)}")
            time.sleep(GLANCE)

    def prove_holding(self, asset: str, account: bytes) -> bytes:
        """One proof with the signatures of a quorum, after all validators have given theirs. Raises BadProof."""
        seals = {one: self._auditor(one, account) for one in self.others}
        self._rest()
        proofs = {self.own.code: super().prove_holding(asset, account)}
        for one, seal in seals.items():
            with Client(f"http://{HERE}:{one.port}", seal) as client:
                proofs[one.code] = client.prove_holding(asset, account)
        self._roots = {code: _root(proof) for code, proof in proofs.items()}
        join_proofs(list(proofs.values()))  # all are of one row in one state, or this raises
        return join_proofs(list(proofs.values())[: self.house.node.members().quorum])

    def _auditor(self, member: Member, account: bytes) -> Seal:
        """A user of the member's house who may see the account, and what signs his requests."""
        key, users = secret(f"{member.code} {AUDITOR}"), Users(self.root / member.code / "users.sqlite")
        try:
            users.add(AUDITOR, Secret(PASSPHRASE), self.clock(), roles=("investor",), accounts=(account,))
            users.add_key(AUDITOR, signing.public_key(key), AUDITOR, self.clock())
        finally:
            users.close()
        return Seal(key, member.code, self.clock)

    # at the end

    def consoles(self) -> dict[str, str]:
        """Every institution has its own."""
        return {one.code: f"http://{HERE}:{one.port}" for one in self.others}

    def figures(self) -> dict[str, Any]:
        """Where each stands, what it made, what certificates hold, and what the failure did."""
        self._rest()
        node, heights = self.house.node, range(1, self.house.node.journal.final + 1)
        who = node.members()
        certificates = [one for one in map(node.journal.certificate, heights) if one is not None]
        valid = sum(certificate_valid(node.chain, one, who.keys, who.quorum) for one in certificates)
        made = [node.journal.header(height).producer for height in heights]
        standings = {one.code: standing_of(one) for one in self.others}
        standings[self.own.code] = {"height": node.health().height, "block_hash": node.health().block_hash.hex()}
        members = [
            {
                "institution": code, "height": standings[code].get("height"),
                "block_hash": standings[code].get("block_hash"), "state_root": self._roots.get(code, ""),
                "blocks": made.count(code), "submitted": self._submitted[code],
            }
            for code in self.plan.codes
        ]  # fmt: skip
        votes = [len(one.votes) for one in certificates]
        before, after = self._meanwhile
        return {
            "quorum": who.quorum, "keys": len(who.keys), "members": members,
            "certificates": {"blocks": len(heights), "valid": valid, "fewest": min(votes), "most": max(votes)},
            "outage": self._outage.figures() | {"slowest_ms": self._slowest(before, after)} if self._outage else {},
            "final_ms": {"p50": round(1_000 * median(self._seconds)), "max": self._slowest(0, len(self._seconds))},
        }  # fmt: skip


def _plan(dossier: Dossier, ports: list[int]) -> Plan:
    """The network of those who run validators, that of the house that acts first."""
    terms, by_code = dossier.terms, {one.code: one for one in dossier.terms.institutions}
    if len(terms.validators) < NETWORK:
        raise StageError(f"a network needs {NETWORK} institutions, and the term sheet names {len(by_code)}")
    members = [Member(by_code[code], HERE, port) for code, port in zip(terms.validators, ports, strict=True)]
    return Plan(terms.chain, "majority", len(members), False, {}, tuple(members))


def _root(raw: bytes) -> str:
    proof = read_proof(raw)
    assert isinstance(proof, RowProof)
    return proof.checkpoint.state_root.hex()
