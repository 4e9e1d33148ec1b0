"""A fourth institution comes to a running network of three, votes, and goes again: real servers and validators."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stoa.custody.keystore import Keystore
from stoa.custody.secret import Secret
from stoa.demo.dossier import Institution
from stoa.kernel import signing
from stoa.network.deciding import Deciding, NotDecided
from stoa.network.founding import house_of
from stoa.network.growing import CannotGrow, without_member
from stoa.network.membership import enrol
from stoa.network.plan import HERE, BadFile, Member, Plan, parse_plan, plan_text, read_plan, write_plan
from stoa.network.running import Running
from stoa.node.config import load_config
from tests.cli.test_commands import CASH, PASSPHRASE, answer, stoa
from tests.network.conftest import free_ports
from tests.network.test_processes import _alive, until

ROLES = {
    "KSD": '"registrar", "identity_provider"',
    "BANK": '"settlement_bank"',
    "BROKER-A": '"broker"',
    "LATE": '"broker"',
}
PACK = Path(__file__).resolve().parents[2] / "examples" / "rule-packs" / "us-reg-s.toml"
TERMS = CASH["terms"] | {"trusted": [{"topic": "identity", "issuers": ["KSD"]}]}


def institution(code: str, port: int, roles: str = "") -> str:
    roles = roles or ROLES[code]
    return (
        f'[[institution]]\ncode = "{code}"\nname = "{code.title()}"\ncountry = "KR"\nroles = [{roles}]\nport = {port}\n'
    )


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """The running network, and the file of the one that will come."""
    scratch = tmp_path_factory.mktemp("three")
    ports = dict(zip(ROLES, free_ports(4), strict=True))
    head = '[network]\nchain = "growing"\nquorum = "majority"\nreplicas = 3\n\n'
    text = "\n".join(institution(code, ports[code]) for code in ("KSD", "BANK", "BROKER-A"))
    (scratch / "three.toml").write_text(head + text, encoding="utf-8")
    late = scratch / "late.toml"
    late.write_text(institution("LATE", ports["LATE"]), encoding="utf-8")
    folder = scratch / "network"
    answer("network", "init", "--institutions", scratch / "three.toml", folder=folder)
    try:
        answer("network", "up", "--detach", folder=folder)
        yield folder, late
    finally:
        answer("network", "down", folder=folder)
        assert not _alive(folder)


def register(folder: Path, asset: str) -> dict[str, Any]:
    """A block of work; its receipt."""
    form = json.dumps(CASH | {"asset": asset, "bank": "BANK", "terms": TERMS}).encode()
    code, out, errors = stoa("submit", "-", "--sign", "BANK", "--json", folder=folder / "BANK", given=form)
    assert code == 0, errors
    done: dict[str, Any] = json.loads(out)
    assert done["receipt"]["rejection"] is None
    receipt: dict[str, Any] = done["receipt"]
    return receipt


def level(folder: Path, count: int, height: int) -> bool:
    members = answer("network", "status", folder=folder)["members"]
    there = [one for one in members if one["health"] == "ready" and one["height"] >= height and one["lag"] == 0]
    return len(there) == count and len({one["block_hash"] for one in there}) == 1


def test_what_cannot_be_added_is_said(three: tuple[Path, Path], tmp_path: Path) -> None:
    folder, late = three
    taken = tmp_path / "taken.toml"
    taken.write_text(institution("BANK", 12_000, '"broker"'), encoding="utf-8")
    assert "taken by another member" in answer("network", "add", taken, folder=folder, code=2)["message"]
    said = answer("network", "add", late, "--peer", "NOBODY", folder=folder, code=2)["message"]
    assert "NOBODY is no member" in said
    assert "NOBODY is no member" in answer("network", "remove", "NOBODY", folder=folder, code=2)["message"]
    for wrong in ("x", "another passphrase"):
        said = answer("network", "add", late, folder=folder, code=2, STOA_PASSPHRASE=wrong)["message"]
        assert "passphrase does not open" in said
    assert not list(folder.glob("LATE*"))


def test_below_the_quorum_nobody_is_added_and_nothing_is_made(three: tuple[Path, Path]) -> None:
    folder, late = three
    net = Running(folder)
    for code in ("KSD", "BANK"):
        net.signal(net.plan.member(code), ("validator",), signal.SIGSTOP)
    said = answer("network", "add", late, folder=folder, code=3)["message"]
    assert "2 of 3 validators must agree, and 1 run here" in said
    assert not (folder / "LATE").exists()
    for code in ("KSD", "BANK"):
        net.signal(net.plan.member(code), ("validator",), signal.SIGCONT)


def test_a_code_is_one_institutions_alone(three: tuple[Path, Path]) -> None:
    folder, _ = three
    deciding, bank = Deciding(Running(folder), Secret(PASSPHRASE)), Institution("BANK", "Bank", "KR", ("broker",))
    own = house_of(folder / "BANK", "BANK", Secret(PASSPHRASE)).public
    assert not enrol(deciding, bank, own), "it is there"
    with pytest.raises(NotDecided, match="BANK is an institution on the ledger already, and that with another account"):
        enrol(deciding, bank, signing.public_key(bytes(31) + b"\x07"))


def test_a_fourth_is_told_of_one_and_votes_and_goes(three: tuple[Path, Path]) -> None:
    folder, late = three
    register(folder, "AAA")
    net = Running(folder)
    before = {(one.code, part): net.process(one, part).pid for one in net.here for part in ("server", "validator")}
    answer("network", "add", late, "--peer", "KSD", folder=folder)
    assert "is a member already" in answer("network", "add", late, folder=folder, code=2)["message"]
    assert set(answer("network", "proposals", folder=folder)["seats"]) == set(ROLES)
    height = register(folder, "BBB")["height"]
    assert until(lambda: level(folder, 4, height))
    routes = {one["code"]: one["ordering"]["routes"] for one in answer("network", "status", folder=folder)["members"]}
    assert routes == dict.fromkeys(ROLES, 3), "through one it has found the others"

    answer("network", "reload", folder=folder)
    answer("network", "pause", "BROKER-A", "--part", "validator", folder=folder)  # three of four: LATE's vote is needed
    height = register(folder, "CCC")["height"]
    assert until(lambda: level(folder, 3, height))
    answer("network", "resume", "BROKER-A", folder=folder)
    assert until(lambda: level(folder, 4, height))

    answer("network", "remove", "LATE", folder=folder)
    assert set(answer("network", "proposals", folder=folder)["seats"]) == set(ROLES) - {"LATE"}
    height = register(folder, "DDD")["height"]
    assert until(lambda: level(folder, 3, height))
    for name in ("network/access.conf", "network/pins.conf", "nats.conf", "network.toml"):
        assert "LATE" not in (folder / "KSD" / name).read_text(encoding="utf-8")
    assert before == {
        (one.code, part): net.process(one, part).pid for one in net.here for part in ("server", "validator")
    }, "nobody of the three was stopped"


def test_most_copies_of_the_log_must_be_left(tmp_path: Path) -> None:
    members = tuple(
        Member(Institution(code, code, "KR", ("broker",)), HERE, 12_000 + 10 * at) for at, code in enumerate("ABC")
    )
    plan = without_member(Plan("test", "majority", 3, False, {}, members), "C")
    assert plan.codes == ("A", "B")
    assert parse_plan("it", plan_text(plan)) == plan, "it is read as it was written"
    write_plan(plan, tmp_path / "plan.toml")
    with pytest.raises(BadFile, match="replicas: is 1, 3 or 5, and not more than the 2 that keep the log"):
        read_plan(tmp_path / "plan.toml")
    with pytest.raises(BadFile, match="replicas: most copies of the log are left, and 1 keep one"):
        parse_plan(
            "it", plan_text(plan).replace("replicas = 3", "replicas = 5").replace("port", "log = false\nport", 1)
        )
    with pytest.raises(CannotGrow, match="1 of its 3 copies would be left"):
        without_member(plan, "B")


def test_members_change_a_parameter_by_vote(three: tuple[Path, Path]) -> None:
    folder, _ = three
    made = answer("network", "propose", "set", "batch_linger_ms=15", "--by", "KSD", folder=folder)
    number = made["proposal"]
    assert made["proposer"] == "KSD"
    answer("network", "vote", str(number), "--by", "BANK", folder=folder)
    cast = answer("network", "vote", str(number), folder=folder)["votes"]
    assert cast == {"KSD": "had voted", "BANK": "had voted", "BROKER-A": "yes"}
    shown = {one["number"]: one for one in answer("network", "proposals", folder=folder)["proposals"]}
    assert shown[number]["votes"] == {"KSD": True, "BANK": True, "BROKER-A": True}
    adopted = answer("network", "propose", "adopt", str(PACK), "--by", "KSD", folder=folder)
    assert (adopted["change"]["tag"], adopted["change"]["code"]) == ("adopt_pack", "US-REG-S")
    shown_to_people = stoa("network", "proposals", folder=folder)[1]
    assert f"{adopted['proposal']}: adopt US-REG-S; for block {adopted['height']}, by KSD" in shown_to_people
    assert "2 of 3 seats decide" in shown_to_people
    refused = answer("network", "propose", "retire", "NONE", "--by", "KSD", folder=folder, code=1)
    assert (refused["error"], refused["message"][:18]) == ("refused", "PackUnknown (1313)")
    korean = answer("network", "propose", "retire", "NONE", "--by", "KSD", "--language", "ko", folder=folder, code=1)
    assert korean["message"].endswith("시행 중인 규칙 묶음 NONE이(가) 없습니다.")
    unknown = answer("network", "vote", "99", folder=folder, code=1)
    assert unknown["message"].startswith("KSD: ProposalUnknown")
    assert unknown["votes"] == {}


def test_who_cannot_vote_keeps_nobody_else_from_it(three: tuple[Path, Path]) -> None:
    folder, _ = three
    inner = folder / "KSD"
    keystore = Keystore(inner / load_config(inner).keystore, Secret(PASSPHRASE))
    number = answer("network", "propose", "set", "batch_linger_ms=16", "--by", "BANK", folder=folder)["proposal"]
    keystore.rotate(Secret("quite another one"))
    try:
        told = answer("network", "vote", str(number), folder=folder, code=3)
        assert told["votes"] == {"BANK": "had voted", "BROKER-A": "yes"}
        assert "KSD: the passphrase does not open this keystore" in told["message"]
        height = level_height(folder)
        assert answer("network", "vote", str(number), "--by", "BANK", folder=folder)["votes"] == {"BANK": "had voted"}
        assert level_height(folder) == height, "a vote that was cast is not sent again"
    finally:
        keystore.rotate(Secret(PASSPHRASE))
    assert answer("network", "vote", str(number), folder=folder)["votes"]["KSD"] == "yes"


def test_the_rule_that_is_shown_is_the_one_in_force(three: tuple[Path, Path]) -> None:
    """Not the one that the network was founded with."""
    folder, _ = three
    deciding = Deciding(Running(folder), Secret(PASSPHRASE))
    assert answer("network", "status", folder=folder)["quorum"] == "majority"
    for value, rule in ((1, "byzantine"), (0, "majority")):
        deciding.carry({"tag": "set", "settings": [{"name": "quorum", "value": value}]}, "the rule")
        assert answer("network", "status", folder=folder)["quorum"] == rule
        assert rule in stoa("network", "status", folder=folder)[1]


def level_height(folder: Path) -> int:
    return max(int(one["height"]) for one in answer("network", "status", folder=folder)["members"])
