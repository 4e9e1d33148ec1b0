"""No path goes around the rules: by a rule of each phase, by a witness of every movement, and by who imports what."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stoa.kernel.time import DAY
from stoa.ledger.assets import register
from stoa.ledger.catalog import VERBS, Verb
from stoa.ledger.compliance.adopt_rules import AdoptRules
from stoa.ledger.compliance.conditions import Compare
from stoa.ledger.compliance.errors import RuleFailed
from stoa.ledger.compliance.model import PHASES, Terms
from stoa.ledger.holds.place_hold import PlaceHold
from stoa.ledger.settlement import transfer
from stoa.ledger.settlement.execute_hold import ExecuteHold
from stoa.ledger.settlement.issue import Issue
from stoa.ledger.settlement.recover import Recover
from stoa.ledger.settlement.redeem import Redeem
from stoa.ledger.settlement.settle import Leg, Settle
from tests.ledger import income
from tests.ledger.hall import ANY_HOLDER, EVIDENCE, TRUST, Hall, account, force, rule, send
from tests.ledger.offering_hall import OfferingHall, refusals

SRC = Path(__file__).resolve().parents[2] / "src" / "stoa"
ALL = ("AGENT", "KSD")
KIM, LEE = account("kim"), account("lee")
COUNTRIES = ("KR", "US", "SG", "JP", "DE")
WRITES = ("put", "change")

PATHS = {
    "issue": (ALL, Issue("HBT", LEE, 1, 0, 0)),
    "transfer": ("kim", send("kim", "lee", 1)),
    "settlement": ("kim", Settle((Leg("HBT", KIM, LEE, 1, 0, ()),), "")),
    "settlement by a hold": ("lee", ExecuteHold("HBT", KIM, 1, LEE, 1, 0)),
    "forced": (ALL, force("kim", "lee", 1)),
    "redemption": (("kim", *ALL), Redeem("HBT", KIM, 1, 0, ())),
    "recovery": (("BROKER-A", "KSD"), Recover(KIM, account("kim2"), "lost", EVIDENCE)),
}


def never(phase: str) -> Terms:
    """Nothing may move in this phase."""
    return Terms(TRUST, COUNTRIES, (ANY_HOLDER, rule("NEVER", Compare("units", "<", 0), phases=(phase,))))


def stopped(reasons: object) -> bool:
    return isinstance(reasons, RuleFailed) and reasons.rule == "NEVER"


@pytest.fixture
def held(hall: Hall) -> Hall:
    hall.second_account("kim2", "kim")
    hall.issue("HBT", "kim", 10)
    hall.do("kim", PlaceHold("HBT", KIM, 5, LEE, "pledge", 0))
    return hall


@pytest.mark.parametrize("path", PATHS)
def test_a_rule_of_its_phase_stops_every_verb_that_moves_value(held: Hall, path: str) -> None:
    signers, act = PATHS[path]
    held.do(ALL, AdoptRules("HBT", never(path.split()[0])))
    assert stopped(held.refused(signers, act))
    held.do(ALL, AdoptRules("HBT", Terms(TRUST, COUNTRIES, (ANY_HOLDER,))))
    held.do(signers, act)


def test_an_offering_is_stopped_at_the_door_and_at_the_close() -> None:
    hall = OfferingHall()
    hall.offer(soft_cap=1)
    hall.investor("kim")
    hall.investor("lee")
    hall.subscribe("kim", 600)
    hall.do(ALL, AdoptRules("HBT", never("offering")))
    [number] = refusals(hall.deadline())
    assert (number, hall.units("HBT", "kim"), hall.dollars("kim")) == (1, 0, (1_000_000, 0))


def test_income_is_stopped_by_a_rule_of_the_money_that_pays_it(hall: Hall) -> None:
    hall.issue("HBT", "kim", 100)
    for name in ("payer", "taxes"):
        hall.person(name)
    hall.issue("USD", "payer", 202_000)
    income.announce(hall)
    hall.do(
        "BANK", AdoptRules("USD", Terms(TRUST, ("*",), (rule("NEVER", Compare("units", "<", 0), phases=("income",)),)))
    )
    hall.wait(DAY)
    hall.wait(DAY)
    hall.wait(DAY)
    assert hall.units("USD", "kim") == 0


def test_every_phase_has_a_path_here() -> None:
    assert {path.split()[0] for path in PATHS} | {"offering", "income"} == set(PHASES)


def test_the_witness_of_all_these_tests_catches_a_movement_that_nobody_judged(
    held: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    unjudged = Verb(lambda view, ctx, ins: iter(()), transfer.apply)
    monkeypatch.setitem(VERBS, transfer.Transfer, unjudged)
    with pytest.raises(AssertionError, match="never judged"):
        held.act("kim", send("kim", "lee", 1))


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((SRC / "ledger").rglob("*.py")):
        yield path.relative_to(SRC / "ledger").as_posix(), ast.parse(path.read_text())


def users(found: Callable[[ast.AST], bool]) -> set[str]:
    return {name for name, tree in sources() if any(found(node) for node in ast.walk(tree))}


def imports(node: ast.AST, *names: str) -> bool:
    return isinstance(node, ast.ImportFrom) and any(alias.name in names for alias in node.names)


def writes(node: ast.AST, table: str) -> bool:
    """Whether this is a call ``….put(TABLE, …)`` or ``….change(TABLE, …)``."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in WRITES
        and isinstance(node.args[0], ast.Name | ast.Attribute)
        and (node.args[0].id if isinstance(node.args[0], ast.Name) else node.args[0].attr) == table
    )


def test_only_moves_debits_and_credits() -> None:
    assert {"give", "take"} <= set(vars(register))
    assert users(lambda node: imports(node, "give", "take")) == {"settlement/moves.py"}
    assert users(lambda node: isinstance(node, ast.Attribute) and node.attr in ("give", "take")) == set()


@pytest.mark.parametrize(
    ("table", "writers"),
    [
        ("HOLDINGS", {"assets/register.py"}),
        ("LOTS", {"assets/register.py", "assets/joining.py"}),
        ("PORTFOLIO", {"assets/register.py"}),
        ("AS_OF", {"assets/register.py"}),
        ("SUPPLY", {"settlement/moves.py"}),
        ("POSITIONS", {"compliance/counters.py"}),
        ("COUNTS", {"compliance/counters.py"}),
        ("HOLDS", {"holds/liens.py"}),
        ("CLAIMS", {"compliance/attest.py", "compliance/revoke.py"}),
        ("PROFILES", {"compliance/adopt_rules.py"}),
        ("PACKS", {"compliance/packs.py"}),
        ("NAMED_PACKS", {"compliance/name_packs.py"}),
        ("NAMING", {"compliance/name_packs.py"}),
        ("LANES", {"machine.py"}),
    ],
)
def test_each_table_is_written_where_it_belongs(table: str, writers: set[str]) -> None:
    assert users(lambda node: writes(node, table)) == writers


def test_lines_are_written_through_the_register_alone() -> None:
    """``write_line`` keeps the copy for a record date: liens use it, nobody else does."""
    assert users(lambda node: imports(node, "write_line")) == {"holds/liens.py"}


def test_who_applies_a_movement_has_judged_it() -> None:
    appliers = users(lambda node: imports(node, "apply_move"))
    judges = users(lambda node: imports(node, "move_rejections", "act_rejections", "allotment_rejections"))
    assert "settlement/transfer.py" in appliers
    assert appliers <= judges


def test_every_write_names_its_table() -> None:
    """No row is written past ``State.put`` and ``State.change``, and no table hides in a variable, or the tests above
    would see nothing."""

    def hidden(node: ast.AST) -> bool:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES):
            return False
        table = node.args[0]
        name = table.id if isinstance(table, ast.Name) else table.attr if isinstance(table, ast.Attribute) else ""
        return not name.isupper()

    assert users(hidden) == {"state.py"}
    assert users(writes_rows) == {"state.py"}


def writes_rows(node: ast.AST) -> bool:
    """Whether the node assigns to, or calls a changing method of, what ``.rows[...]`` gives."""
    targets: list[ast.AST] = []
    if isinstance(node, ast.Assign):
        targets = list(node.targets)
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    elif isinstance(node, ast.Delete):
        targets = list(node.targets)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        targets = [node.func] if node.func.attr in ("update", "pop", "setdefault", "clear", "popitem") else []
    return any(
        isinstance(part, ast.Attribute) and part.attr == "rows" for target in targets for part in ast.walk(target)
    )
