"""Forms: reading a form of a shape gives the shape, and whatever describes none is refused with its place."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import validator_for

from stoa.ledger.assets.register_cash import RegisterCash
from stoa.ledger.catalog import EVENTS, INSTRUCTION_BY_TAG, INSTRUCTIONS
from stoa.ledger.compliance.conditions import All, Compare, Condition, Not
from stoa.ledger.compliance.conditions import Any as AnyOf
from stoa.ledger.compliance.model import Terms
from stoa.ledger.settlement.settle import Leg, Settle
from stoa.wire.forms import BadForm, from_form, pick_form, schema_of, to_form
from tests.ledger.hall import TRUST, account, rule, send

LEAVES = st.builds(
    Compare,
    st.sampled_from(["sender.units", "time"]),
    st.sampled_from(["==", ">=", "in"]),
    st.integers(-5, 5) | st.sampled_from(["KR", "US"]) | st.tuples(st.just("KR"), st.just("US")),
)


def _combined(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(inner, max_size=3).map(tuple)
    return st.builds(Not, inner) | st.builds(All, several) | st.builds(AnyOf, several)


CONDITIONS = st.recursive(LEAVES, _combined, max_leaves=6)
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
FIELDS = st.sampled_from(["tag", "asset", "lots"])
GOOD = to_form(send("park", "kim", 3))


@given(CONDITIONS, CONDITIONS)
def test_a_form_of_rules_is_read_back(when: Condition, require: Condition) -> None:
    shape = RegisterCash("USD", "BANK", "deposit", "USD", 2, Terms(TRUST, ("*",), (rule("R", require, when=when),)))
    form = json.loads(json.dumps(to_form(shape)))
    assert pick_form(INSTRUCTION_BY_TAG, form) == shape
    assert validator_for(schema_of(RegisterCash)).is_valid(form)


def test_accounts_are_addresses_and_parts_are_objects() -> None:
    settle = Settle((Leg("HBT", account("kim"), account("lee"), 5, 500, ()),), "x")
    form = to_form(settle)
    assert form["legs"][0]["source"].startswith("stoa1")
    assert from_form(Settle, form) == settle


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"units": 0}, "Transfer.units: Expected `int` >= 1"),
        ({"units": True}, "Transfer.units: Expected `int`, got `bool`"),
        ({"units": 1.0}, "Transfer.units"),
        ({"to": "00"}, "Transfer.to: Expected `bytes` of length >= 20"),
        ({"to": GOOD["to"].upper().lower()[:-1]}, "Transfer.to: the address"),
        ({"to": 5}, "Transfer.to: expected an address"),
        ({"lots": {}}, "Transfer.lots: expected a list"),
        ({"lots": [{"lot": 1}]}, "Transfer.lots[0]: the field 'units' is missing"),
        ({"lots": [5]}, "Transfer.lots[0]: expected an object"),
        ({"more": 1}, "there is no field 'more'"),
        ({"tag": "settlement.settle.v9"}, "names no known kind"),
    ],
)
def test_what_describes_no_shape_is_refused_with_its_place(change: dict[str, Any], why: str) -> None:
    with pytest.raises(BadForm) as caught:
        pick_form(INSTRUCTION_BY_TAG, GOOD | change)
    assert why in str(caught.value)


def test_a_form_that_nests_without_end_is_refused() -> None:
    endless: dict[str, Any] = {"tag": "all", "items": []}
    for _ in range(200):
        endless = {"tag": "not", "item": endless}
    with pytest.raises(BadForm, match="nested too deeply"):
        from_form(Not, endless)


def test_every_kind_has_a_schema() -> None:
    for kind in (*INSTRUCTIONS, *EVENTS):
        assert schema_of(kind)["title"] == kind.__name__


@given(st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner)))
def test_anything_at_all_is_read_or_refused(form: Any) -> None:
    with pytest.raises(BadForm):
        pick_form(INSTRUCTION_BY_TAG, form)
