"""The signing policy: what nothing grants is refused, with every reason, gravest first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoa.custody import policy
from stoa.custody import refusals as why
from stoa.custody.policy import Actor, Grant, Limit, Policy, PolicyError, Request, Summary
from stoa.kernel.identifiers import address

NOW = 1_800_000_000_000
MINE, OTHER = b"\1" * 20, b"\2" * 20
KIM = Actor("kim", ("investor",), (MINE,))
TEXT = f"""
[[grant]]
id = "small"
roles = ["investor"]
accounts = ["linked"]
instructions = ["settlement.transfer.v1", "trading.*"]
limits = [{{ asset = "TOWER", per_transaction = 100, per_day = 250 }}]

[[grant]]
id = "large"
roles = ["investor"]
accounts = ["linked"]
instructions = ["settlement.transfer.v1"]
limits = [{{ asset = "*", per_transaction = 1000 }}]
approvals = 1
approvers = ["officer"]
expires_after_s = 3600

[[grant]]
id = "registrar"
users = ["lee"]
accounts = ["{address(OTHER)}"]
instructions = ["*"]

[keys]
"{address(OTHER)}" = ["reg-1", "reg-2"]
"""


def ask(*summaries: Summary, actor: Actor = KIM, account: bytes = MINE, **changed: object) -> policy.Decision:
    question = {"created": NOW, "now": NOW, "used": {}, "has_key": True} | changed
    request = Request(actor=actor, account=account, summaries=summaries, **question)  # type: ignore[arg-type]
    return policy.parse(TEXT).decide(request)


def transfer(units: int, asset: str = "TOWER", account: bytes = MINE) -> Summary:
    return Summary("settlement.transfer.v1", account, asset, units)


def granted(decision: policy.Decision) -> str | None:
    assert (decision.grant is None) == bool(decision.refusals)
    return decision.grant.id if decision.grant else None


def test_the_first_grant_that_refuses_nothing_decides() -> None:
    assert granted(ask(transfer(100))) == "small"
    assert granted(ask(transfer(101))) == "large"
    assert granted(ask(Summary("trading.quote.v2", MINE, "TOWER", 1))) == "small"
    assert granted(ask(Summary("trading.quote.v2", MINE, "TOWER", 101))) is None


def test_units_of_one_transaction_count_together() -> None:
    assert granted(ask(transfer(60), transfer(40))) == "small"
    assert granted(ask(transfer(60), transfer(41))) == "large"
    assert ask(*[transfer(200)] * 6).refusals == (why.OverTransactionLimit("large", "TOWER", 1200, 1000),)


def test_the_day_is_counted() -> None:
    assert granted(ask(transfer(50), used={("small", "TOWER"): 200})) == "small"
    assert granted(ask(transfer(51), used={("small", "TOWER"): 200})) == "large"
    assert granted(ask(transfer(51), used={("large", "TOWER"): 200})) == "small"
    trade = Summary("trading.order.v1", MINE, "TOWER", 51)
    assert ask(trade, used={("small", "TOWER"): 200}).refusals == (why.OverDailyLimit("small", "TOWER", 51, 200, 250),)


def test_an_asset_without_a_limit_is_not_unlimited() -> None:
    trade = Summary("trading.order.v1", MINE, "ETHER", 1)
    assert ask(trade).refusals == (why.AssetWithoutLimit("small", "ETHER"),)
    assert granted(ask(Summary("trading.cancel.v1", MINE, "", 0))) == "small"


def test_all_reasons_gravest_first() -> None:
    bad = Summary("governance.vote.v1", OTHER, "TOWER", 1_001)
    decision = ask(bad, transfer(1), account=OTHER, has_key=False, now=NOW + 3_600_001, created=NOW)
    assert decision.refusals == (
        why.AccountNotGranted("kim", OTHER),
        why.NoKey(OTHER),
        why.InstructionNotGranted("kim", "governance.vote.v1"),
        why.IntentExpired(NOW, NOW + 3_600_000, NOW + 3_600_001),
        why.OverTransactionLimit("large", "TOWER", 1_002, 1_000),
    )


def test_the_closest_grant_gives_the_reasons() -> None:
    decision = ask(Summary("trading.order.v1", MINE, "TOWER", 101))
    assert [reason.name for reason in decision.refusals] == ["OverTransactionLimit"]


def test_nobody_is_granted_anything_by_silence() -> None:
    stranger = Actor("park", ("clerk",), (MINE,))
    assert ask(transfer(1), actor=stranger).refusals == (why.NoGrant("park"),)
    assert Policy().decide(Request(KIM, MINE, (transfer(1),), NOW, NOW, {}, True)).grant is None


def test_a_named_account_is_reached_and_no_other() -> None:
    lee = Actor("lee", (), ())
    assert granted(ask(transfer(10**9, account=OTHER), actor=lee, account=OTHER)) == "registrar"
    refused = ask(transfer(1, account=MINE), actor=lee, account=OTHER)
    assert refused.refusals == (why.AccountNotGranted("lee", MINE),)
    assert policy.parse(TEXT).key_names(OTHER) == ("reg-1", "reg-2")
    assert policy.parse(TEXT).key_names(MINE) == ()


@pytest.mark.parametrize(("age", "grant"), [(0, "small"), (900_000, "small"), (900_001, "large"), (-1, None)])
def test_an_intent_expires(age: int, grant: str | None) -> None:
    assert granted(ask(transfer(1), created=NOW, now=NOW + age)) == grant


@given(st.lists(st.integers(0, 300), min_size=1, max_size=8), st.integers(0, 300), st.integers(0, 300))
def test_what_a_grant_allows_never_exceeds_its_limits(units: list[int], used: int, more: int) -> None:
    grant = Grant("g", ("*",), ("*",), users=("kim",), limits=(Limit("TOWER", 200, 300),))
    summaries = tuple(transfer(one) for one in units)
    request = Request(KIM, MINE, summaries, NOW, NOW, {("g", "TOWER"): used, ("g", "X"): more}, True)
    allowed = not policy.refusals(grant, request)
    assert allowed == (sum(units) == 0 or (sum(units) <= 200 and sum(units) + used <= 300))


def test_units_are_never_negative() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        transfer(-1)


@pytest.mark.parametrize(
    "text",
    [
        "grant = 1",
        "[[grant]]\nid='a'",
        "[[grant]]\nid='a'\naccounts=['linked']\ninstructions=['*']",
        "[[grant]]\nid='a'\nusers=['u']\naccounts=['stoa1xyz']\ninstructions=['*']",
        "[[grant]]\nid='a'\nusers=['u']\naccounts=['*']\ninstructions=['*']\nlimit=3",
        "[[grant]]\nid='a'\nusers=['u']\naccounts=['*']\ninstructions=['*']\napprovals=1",
        "[[grant]]\nid='a'\nusers=['u']\naccounts=['*']\ninstructions=['*']\napprovals=-1",
        "[[grant]]\nid='a'\nusers=['u']\naccounts=['*']\ninstructions=['*']\n" * 2,
        "[[grant]]\nid='a'\nusers=['u']\naccounts=['*']\ninstructions=['*']\nlimits=[{asset='X'},{asset='X'}]",
        "[keys]\nx=['a']",
        "not toml",
    ],
)
def test_a_policy_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(PolicyError):
        policy.parse(text)


def test_every_refusal_has_a_sentence_in_both_languages() -> None:
    for kind in why.Refusal.__subclasses__():
        fields = {name: b"\1" * 20 if name == "account" else 1 for name in kind.__struct_fields__}
        refusal = kind(**fields)
        assert refusal.sentence("en") != refusal.sentence("ko")
        assert all("{" not in refusal.sentence(language) for language in ("en", "ko"))
        assert any("가" <= letter <= "힣" for letter in refusal.sentence("ko"))
