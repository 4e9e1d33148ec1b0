"""What speaks against a file of the ceremony, rule by rule; and that a house which files made is as `add` makes it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from stoa.custody.policy import STARTER
from stoa.custody.secret import Secret
from stoa.journal import Journal
from stoa.ledger.catalog import Genesis, read_genesis
from stoa.network import ceremony, folders
from stoa.network.admission import admitted, dismissed, move_in, waits
from stoa.network.applying import apply_for, require_fit
from stoa.network.certificates import Authority
from stoa.network.founding import genesis_of, house_of, make_house, member_word
from stoa.network.growing import UNFINISHED, CannotGrow, let_in, settle, with_member
from stoa.network.papers import MAX_BYTES, Application, BadPaper, Lists, read_paper, sealed, write_paper
from stoa.network.plan import BadFile, Member, Plan, on_hosts, read_applicant, read_plan
from stoa.node.node import wall_clock
from tests.cli.test_commands import answer
from tests.network.conftest import PASSPHRASE

WORD = Secret(PASSPHRASE)
LATE = """\
[[institution]]
code = "LATE"
name = "Late"
country = "KR"
roles = ["broker"]
host = "late.example"
port = 7200
"""


class Ceremony(NamedTuple):
    """A network's folder, the newcomer's, and the paper that was made there."""

    here: Path
    there: Path
    member: Member
    asked: Application

    @property
    def plan(self) -> Plan:
        return read_plan(self.here / folders.PLAN)

    @property
    def genesis(self) -> Genesis:
        document = genesis_of(self.plan, self.here)
        assert document is not None
        return read_genesis(document)


@pytest.fixture(scope="module")
def made(network: tuple[Plan, Path], tmp_path_factory: pytest.TempPathFactory) -> Ceremony:
    """An application to the founded network, which is not changed."""
    _, here = network
    there = tmp_path_factory.mktemp("late")
    (there / "late.toml").write_text(LATE, encoding="utf-8")
    member = read_applicant(there / "late.toml")
    asked = apply_for("koscom-five", member, there, WORD, STARTER, wall_clock())
    return Ceremony(here, there, member, asked)


@pytest.fixture
def fresh(made: Ceremony, tmp_path: Path) -> Ceremony:
    """The same in folders that a test may change; the authority has the members' folders too."""
    shutil.copytree(made.here, tmp_path / "here")
    shutil.copytree(made.there, tmp_path / "there")
    return made._replace(here=tmp_path / "here", there=tmp_path / "there")


def test_the_same_application_is_made_again_and_another_place_is_another(fresh: Ceremony) -> None:
    def again(member: Member) -> Application:
        return apply_for("koscom-five", member, fresh.there, WORD, STARTER, wall_clock())

    assert again(fresh.member) == fresh.asked
    moved = again(msgspec.structs.replace(fresh.member, port=7300))
    assert (moved.port, moved.voting, moved.server == fresh.asked.server) == (7300, fresh.asked.voting, False)


def test_an_application_that_fits_is_a_member_without_the_log(made: Ceremony) -> None:
    assert require_fit(made.asked, made.plan, made.genesis, []) == msgspec.structs.replace(made.member, log=False)


Change = Callable[[Ceremony], dict[str, Any]]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda _: {"chain": "other"}, "an application to the network other, not koscom-five"),
        (lambda _: {"code": "BROKER-A"}, "application: code: the code is taken by another member ('BROKER-A')"),
        (lambda _: {"code": "late"}, "application: code: a member's code is 1 to 24 capital letters"),
        (lambda _: {"code": "LA.TE"}, "application: code: a member's code is 1 to 24 capital letters"),
        (lambda _: {"name": "Late\nport = 1"}, "application: name: a name has no line breaks"),
        (lambda _: {"name": ""}, "application: name: wanted is a text of 1 to 120 characters"),
        (lambda _: {"country": "kr"}, "application: country: a country is two capital letters"),
        (lambda _: {"roles": ("king",)}, "application: roles: wanted are words out of"),
        (lambda _: {"host": "late example"}, "application: host: wanted is an IPv4 address or the name of a host"),
        (lambda _: {"port": 80}, "application: port: wanted is a whole number from 1024"),
        (
            lambda of: {"host": "127.0.0.1", "port": of.plan.members[0].port + 3},
            "application: port: each institution uses 4 ports from its own on; OTC-MARKET has one of them",
        ),
        (lambda _: {"port": 7201}, "application: account: its owner did not sign this application: the file was alt"),
        (lambda _: {"voting": "02" + 64 * "f"}, "its owner did not sign this application"),
        (lambda of: {"voting_signature": of.asked.account_signature}, "application: voting: its owner did not sign"),
        (lambda _: {"account_signature": ""}, "application: account: its owner did not sign"),
    ],
)
def test_what_speaks_against_an_application(made: Ceremony, change: Change, complaint: str) -> None:
    asked = msgspec.structs.replace(made.asked, **change(made))
    with pytest.raises((BadPaper, BadFile)) as refused:
        require_fit(asked, made.plan, made.genesis, [])
    assert complaint in str(refused.value)


def test_a_key_that_is_no_key_is_refused_first(made: Ceremony) -> None:
    asked = msgspec.structs.replace(made.asked, account="02" + 64 * "f")
    with pytest.raises(BadFile, match="account: a key is a point of secp256k1"):
        require_fit(asked, made.plan, made.genesis, [])


def test_nobody_elses_key_is_taken(made: Ceremony) -> None:
    first, *others = made.genesis.founders
    founder = msgspec.structs.replace(first, validator=bytes.fromhex(made.asked.voting))
    genesis = msgspec.structs.replace(made.genesis, founders=(founder, *others))
    with pytest.raises(BadFile, match=f"voting: the key is {first.institution}'s already"):
        require_fit(made.asked, made.plan, genesis, [])
    earlier = msgspec.structs.replace(made.asked, code="EARLIER", voting=made.asked.account)
    with pytest.raises(BadFile, match="account: the key is EARLIER's already"):
        require_fit(made.asked, made.plan, made.genesis, [earlier])


def test_on_namespaces_of_one_machine_nobody_comes_by_file(made: Ceremony) -> None:
    with pytest.raises(BadPaper, match="use `stoa network add`"):
        require_fit(made.asked, on_hosts(made.plan), made.genesis, [])


def test_an_application_says_where_its_host_is(tmp_path: Path) -> None:
    for field in ("host", "port"):
        lines = [line for line in LATE.splitlines() if not line.startswith(field)]
        (tmp_path / "late.toml").write_text("\n".join(lines), encoding="utf-8")
        with pytest.raises(BadFile, match=f"{field}: is missing; wanted is"):
            read_applicant(tmp_path / "late.toml")


def test_what_is_granted_may_be_granted_again_and_is_taken_then(fresh: Ceremony) -> None:
    first = admitted(fresh.plan, fresh.here, fresh.asked, "", WORD)
    assert fresh.plan.codes[-1] == "LATE"
    again = admitted(fresh.plan, fresh.here, fresh.asked, "", WORD)
    assert (first.plan, first.welcome) == (again.plan, again.welcome)
    other = apply_for("koscom-five", fresh.member, fresh.here.parent / "other", WORD, STARTER, wall_clock())
    with pytest.raises(BadFile, match="the code is taken by another member"):
        admitted(fresh.plan, fresh.here, other, "", WORD)
    same_keys = msgspec.structs.replace(fresh.asked, code="LATER", port=7300)
    with pytest.raises(BadFile, match="did not sign"):
        admitted(fresh.plan, fresh.here, same_keys, "", WORD)


def test_what_cannot_be_granted_leaves_everything_as_it_was(fresh: Ceremony) -> None:
    def files() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in fresh.here.rglob("*") if path.is_file()}

    before = files()
    for asked, peer in (
        (msgspec.structs.replace(fresh.asked, port=7201), ""),
        (fresh.asked, "NOBODY"),
    ):
        with pytest.raises((BadFile, LookupError)):
            admitted(fresh.plan, fresh.here, asked, peer, WORD)
    assert files() == before


def house(folder: Path) -> dict[str, tuple[int, str]]:
    """The files of a house with their modes, and the text of those that hold no key."""
    open_ = ("stoa.toml", "policy.toml", "nats.conf", "network.toml", "network/access.conf", "network/ca.pem")
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and path.suffix != ".lock" and name != folders.INSTALLED:
            found[name] = path.stat().st_mode, path.read_text(encoding="utf-8") if name in open_ else ""
    return found


@pytest.mark.parametrize("peer", ["", "PLATFORM"])
def test_a_house_that_files_made_is_as_add_makes_it(fresh: Ceremony, peer: str) -> None:
    added = fresh.here.parent / "added"
    shutil.copytree(fresh.here, added)
    member = msgspec.structs.replace(fresh.member, log=False)
    plan = with_member(fresh.plan, member)
    settle(plan, added, member, peer, WORD, STARTER, wall_clock())
    let_in(plan, added, member, WORD, lambda: None)

    lists = admitted(fresh.plan, fresh.here, fresh.asked, peer, WORD)
    assert waits(fresh.there, lists)
    genesis = move_in(fresh.there, lists, WORD)
    with Journal.open(fresh.here / "PLATFORM" / "journal", readonly=True) as journal:
        assert journal.header(0).hash() == genesis
    assert house_of(fresh.there / "LATE", "LATE", WORD).voting.hex() == fresh.asked.voting
    made = house(fresh.there / "LATE")
    assert made["nats.conf"][1].count('"tls://') == (1 if peer else 5)
    assert made == house(added / "LATE")
    assert not waits(fresh.there, lists)
    here = ceremony.members_here(fresh.there, plan)
    ceremony.install(plan.chain, fresh.there, here, lists, WORD)  # once more is no trouble, and gives all routes
    assert (fresh.there / "LATE" / "nats.conf").read_text(encoding="utf-8").count('"tls://') == 5
    others = ceremony.members_here(fresh.here, plan)
    ceremony.install(plan.chain, fresh.here, others, lists, None)
    for code in ("PLATFORM", "BROKER-B"):
        for name in ("network/access.conf", "network/pins.conf", "network.toml"):
            assert (fresh.here / code / name).read_bytes() == (fresh.there / "LATE" / name).read_bytes()


@pytest.mark.parametrize("field", ["access", "pins", "plan", "made", "signature"])
def test_altered_lists_are_taken_nowhere(fresh: Ceremony, field: str) -> None:
    lists = admitted(fresh.plan, fresh.here, fresh.asked, "", WORD)
    value = getattr(lists, field)
    put = value + 1 if isinstance(value, int) else value[:-2] if field == "signature" else value + "\n"
    altered = msgspec.structs.replace(lists, **{field: put})
    before = house(fresh.there / "LATE")
    with pytest.raises(BadPaper, match="authority did not sign"):
        move_in(fresh.there, altered, WORD)
    here = ceremony.members_here(fresh.here, fresh.plan)
    with pytest.raises(BadPaper, match="authority did not sign"):
        ceremony.install("koscom-five", fresh.here, here, altered, None)
    assert house(fresh.there / "LATE") == before


def test_lists_of_another_authority_or_network_are_refused(fresh: Ceremony, tmp_path: Path) -> None:
    lists = ceremony.lists_now(fresh.plan, fresh.here / folders.AUTHORITY, WORD)
    here = ceremony.members_here(fresh.here, fresh.plan)
    stranger = Authority.create(tmp_path / "stranger", "koscom-five", WORD, wall_clock())
    with pytest.raises(BadPaper, match="authority did not sign"):
        ceremony.install("koscom-five", fresh.here, here, sealed(lists, stranger), None)
    with pytest.raises(BadPaper, match="lists of the network koscom-five, not other"):
        ceremony.install("other", fresh.here, here, lists, None)
    own = Authority(fresh.here / folders.AUTHORITY, WORD)
    odd = sealed(msgspec.structs.replace(lists, plan=lists.plan.replace("koscom-five", "other")), own)
    with pytest.raises(BadPaper, match="with a plan of other"):
        ceremony.install("koscom-five", fresh.here, here, odd, None)


def test_older_lists_never_replace_newer_ones(fresh: Ceremony) -> None:
    admission = admitted(fresh.plan, fresh.here, fresh.asked, "", WORD)
    removal = dismissed(fresh.plan, fresh.here, "LATE", WORD)
    assert "LATE" not in fresh.plan.codes
    here = ceremony.members_here(fresh.here, fresh.plan)
    ceremony.install("koscom-five", fresh.here, here, removal, None)
    with pytest.raises(BadPaper, match="older than those that are installed"):
        ceremony.install("koscom-five", fresh.here, here, admission, None)
    assert "LATE" not in (fresh.here / "PLATFORM" / folders.ACCESS_CONF).read_text(encoding="utf-8")
    assert "LATE" not in read_plan(fresh.here / "PLATFORM" / folders.PLAN).codes
    assert dismissed(fresh.plan, fresh.here, "LATE", WORD).plan == removal.plan, "once more is no trouble"


def test_a_house_that_was_left_half_made_is_made_whole(fresh: Ceremony) -> None:
    lists = admitted(fresh.plan, fresh.here, fresh.asked, "", WORD)
    inner = fresh.there / "LATE"
    word = member_word(fresh.plan, fresh.member, inner, WORD)
    ceremony.take(inner, lists, word)
    (inner / UNFINISHED / "journal").mkdir(parents=True)
    genesis = move_in(fresh.there, lists, WORD)
    write_paper(fresh.asked, inner / folders.APPLICATION)  # as if it had ended just before the last step
    assert waits(fresh.there, lists)
    assert move_in(fresh.there, lists, WORD) == genesis
    assert not (inner / UNFINISHED).exists()


def test_without_the_authoritys_copy_genesis_comes_from_a_member(fresh: Ceremony) -> None:
    document = genesis_of(fresh.plan, fresh.here)
    (fresh.here / folders.GENESIS).unlink()
    assert genesis_of(fresh.plan, fresh.here) == document
    for code in fresh.plan.codes:
        shutil.rmtree(fresh.here / code)
    with pytest.raises(CannotGrow, match="no member's folder with the network's genesis"):
        admitted(fresh.plan, fresh.here, fresh.asked, "", WORD)


def test_who_was_dismissed_comes_back_with_its_folder_and_keys(fresh: Ceremony) -> None:
    first = admitted(fresh.plan, fresh.here, fresh.asked, "", WORD)
    move_in(fresh.there, first, WORD)
    second = admitted(fresh.plan, fresh.here, fresh.asked, "", WORD)
    here = ceremony.members_here(fresh.there, fresh.plan)
    ceremony.install("koscom-five", fresh.there, here, second, WORD)  # a grant that was given once more
    dismissed(fresh.plan, fresh.here, "LATE", WORD)
    journal = [path.read_bytes() for path in sorted((fresh.there / "LATE" / "journal").iterdir())]

    asked = apply_for("koscom-five", fresh.member, fresh.there, WORD, STARTER, wall_clock())
    assert (asked.voting, asked.account) == (fresh.asked.voting, fresh.asked.account)
    assert asked.client != fresh.asked.client
    again = admitted(fresh.plan, fresh.here, asked, "", WORD)
    assert waits(fresh.there, again)
    move_in(fresh.there, again, WORD)
    assert house_of(fresh.there / "LATE", "LATE", WORD).voting.hex() == asked.voting
    assert (fresh.there / "LATE" / "network" / "client.pem").read_text(encoding="utf-8") == again.client
    assert [path.read_bytes() for path in sorted((fresh.there / "LATE" / "journal").iterdir())] == journal


def test_a_grant_to_another_application_makes_no_house(fresh: Ceremony) -> None:
    lists = admitted(fresh.plan, fresh.here, fresh.asked, "", WORD)
    shutil.rmtree(fresh.there / "LATE")
    apply_for("koscom-five", fresh.member, fresh.there, WORD, STARTER, wall_clock())
    with pytest.raises(BadPaper, match="answers another application"):
        move_in(fresh.there, lists, WORD)
    assert not (fresh.there / "LATE" / folders.PLAN).exists()
    make_house(fresh.there / "ELSE", fresh.plan, fresh.member, WORD, STARTER, wall_clock())
    assert not waits(fresh.there, msgspec.structs.replace(lists, code="ELSE")), "it did not apply"


@pytest.mark.parametrize(
    ("field", "value"),
    [("code", "../ELSE"), ("code", ""), ("account", "zz"), ("server", "x" * 9_000), ("port", "7200"), ("more", 1)],
)
def test_a_paper_of_another_form_is_not_read(made: Ceremony, tmp_path: Path, field: str, value: object) -> None:
    path = tmp_path / "asked.json"
    write_paper(made.asked, path)
    assert read_paper(path) == made.asked
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    with pytest.raises(BadPaper, match=r"asked\.json: .*" + field):
        read_paper(path)
    path.write_text(" " * (MAX_BYTES + 1))
    with pytest.raises(BadPaper, match="larger than any"):
        read_paper(path)


def test_commands_say_what_does_not_fit(fresh: Ceremony, tmp_path: Path) -> None:
    asked, granted = tmp_path / "asked.json", tmp_path / "granted.json"
    write_paper(fresh.asked, asked)
    said = answer("network", "register", asked, folder=fresh.here, code=2)["message"]
    assert "no grant to an applicant" in said
    answer("network", "grant", asked, granted, folder=fresh.here)
    form = json.loads(granted.read_text())
    (tmp_path / "bad.json").write_text(json.dumps(form | {"pins": form["pins"] + "x"}))
    said = answer("network", "install", tmp_path / "bad.json", folder=fresh.there, code=2)["message"]
    assert "authority did not sign" in said
    assert answer("network", "install", granted, folder=fresh.there)["certificates"] == "LATE"
    wrong = answer("network", "apply", fresh.there / "late.toml", asked, "--chain", "x", folder=fresh.there, code=2)
    assert "is a house of the network koscom-five, not x" in wrong["message"]
    assert isinstance(lists := read_paper(granted), Lists)
    answer("network", "dismiss", "LATE", granted, folder=fresh.here)
    said = answer("network", "install", granted, folder=fresh.there, code=2)["message"]
    assert "no member whom koscom-five has from now on is here" in said
    assert lists.welcome is not None
    shown = answer("network", "keys", folder=fresh.there)["keys"]
    assert [(one["institution"], one["validator"]) for one in shown] == [("LATE", fresh.asked.voting)]
