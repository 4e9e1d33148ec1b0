"""The small language of conditions: what it means, by evaluating it against the ledger's own reading of the form."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoa.demo.conditions import ALWAYS, Form, parse_condition
from stoa.kernel.codec import Shape
from stoa.ledger.compliance import conditions
from stoa.wire.forms import from_form, to_form

KINDS: dict[str, type[Shape]] = {
    "is": conditions.Compare, "all": conditions.All, "any": conditions.Any, "not": conditions.Not,
}  # fmt: skip
FACTS = ("a1", "b2", "c3")


def holds(form: Form, facts: Mapping[str, object]) -> bool:
    """A naive reading of a form."""
    if form["tag"] == "is":
        found, value = facts[form["fact"]], form["value"]
        answers = {"==": found == value, "!=": found != value}
        return answers[form["op"]]
    if form["tag"] == "not":
        return not holds(form["item"], facts)
    inner = [holds(item, facts) for item in form["items"]]
    return all(inner) if form["tag"] == "all" else any(inner)


python_conditions = st.recursive(
    st.builds("{} {} {}".format, st.sampled_from(FACTS), st.sampled_from(["==", "!="]), st.integers(0, 3)),
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
        st.builds("({} or {} and {})".format, inner, inner, inner),
    ),
    max_leaves=6,
)


@given(python_conditions, st.fixed_dictionaries({fact: st.integers(0, 3) for fact in FACTS}))
def test_it_binds_as_python_does(text: str, facts: dict[str, int]) -> None:
    form = parse_condition(text)
    assert holds(form, facts) == eval(text, {}, facts)
    assert to_form(from_form(KINDS[form["tag"]], form)) == form  # the ledger reads the form as it is


def test_lists_words_and_numbers() -> None:
    assert parse_condition("receiver.category not in [accredited, institutional]") == {
        "tag": "is", "fact": "receiver.category", "op": "not in", "value": ["accredited", "institutional"],
    }  # fmt: skip
    assert parse_condition("units <= 25_000")["value"] == 25_000
    assert parse_condition("sender.country == US")["value"] == "US"
    assert parse_condition(" always ") == ALWAYS


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", 1), ("a", 2), ("a ==", 5), ("a = 1", 3), ("a == 1 or", 10), ("(a == 1", 8), ("a == 1)", 7),
        ("a in [x, ]", 10), ("a not 1", 3), ("a == 1 b == 2", 8), ("and a == 1", 5), ("a == [x", 8), ("a == §", 6),
    ],
)  # fmt: skip
def test_a_mistake_names_its_place(text: str, place: int) -> None:
    with pytest.raises(ValueError, match=f"at character {place}: "):
        parse_condition(text)
