"""The ledger beside the naive one: random acts, the same first reason, the same register after each, all invariants."""

import copy
from collections.abc import Callable

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from stoa.kernel.base import Instruction
from stoa.kernel.time import DAY
from stoa.ledger.assets.model import SUPPLY, ClassTerms, LotPick
from stoa.ledger.assets.pause import Pause
from stoa.ledger.assets.register import line, lots_of
from stoa.ledger.compliance.adopt_rules import AdoptRules
from stoa.ledger.compliance.attest import Attest
from stoa.ledger.compliance.conditions import ALWAYS, Compare
from stoa.ledger.compliance.model import Rule, Terms
from stoa.ledger.compliance.revoke import Revoke
from stoa.ledger.holds.freeze_units import FreezeUnits
from stoa.ledger.holds.liens import holds_of
from stoa.ledger.holds.place_hold import PlaceHold
from stoa.ledger.identity.freeze_account import FreezeAccount
from stoa.ledger.settlement.execute_hold import ExecuteHold
from stoa.ledger.settlement.issue import Issue
from stoa.ledger.settlement.recover import Recover
from stoa.ledger.settlement.redeem import Redeem
from stoa.ledger.settlement.settle import Leg, Settle
from tests.ledger import hall as words
from tests.ledger.hall import ANY_HOLDER, EVIDENCE, TRUST, Hall, account
from tests.ledger.naive import AUTHORISED, OPEN, Naive

ALL = ("AGENT", "KSD")
PERSONS = {"kim": "KR", "ann": "US", "sato": "JP", "suzuki": "JP", "max": "DE"}
OWNERS = {name: name for name in PERSONS} | {"kim2": "kim", "kim3": "kim", "ann2": "ann"}

accounts = st.sampled_from(list(OWNERS))
persons = st.sampled_from(list(PERSONS))
units = st.one_of(st.integers(1, 60), st.sampled_from([10, 50, 100, 1_000, AUTHORISED]))
costs = st.integers(0, 1_000)
few = st.integers(1, 40)
pairs = st.sampled_from([("kim", "kim2"), ("kim2", "kim3"), ("ann", "ann2"), ("kim", "ann2"), ("max", "max")])


def compiled(rules: dict[str, int]) -> tuple[Rule, ...]:
    """The rules of the naive ledger in the language of the other."""
    phases = ("issue", "transfer", "settlement")

    def one(name: str, figure: int) -> Rule:
        fact, op, when = {
            "CAP": ("holders.after", "<=", Compare("receiver.enters", "==", 1)),
            "MAX": ("receiver.units.after", "<=", ALWAYS),
            "JAPAN": ("holders.country.after.JP", "<=", ALWAYS),
            "PERIOD": ("lots.age_days", ">=", Compare("sender.country", "==", "US")),
        }[name]
        return words.rule(name, Compare(fact, op, figure), when=when, phases=phases)  # type: ignore[arg-type]

    return (ANY_HOLDER, *(one(name, figure) for name, figure in rules.items()))


class TwoLedgers(RuleBasedStateMachine):
    @initialize()
    def found(self) -> None:
        self.hall = Hall()
        self.hall.cash()
        self.hall.security(countries=OPEN, classes=(ClassTerms("", "Units", AUTHORISED),))
        for name in PERSONS:
            self.hall.person(name, country="")
        for name, owner in OWNERS.items():
            if name != owner:
                self.hall.second_account(name, owner)
        self.naive = Naive(self.hall.time, dict(OWNERS))
        for name, country in PERSONS.items():
            self.attest(name, country, 300)
        for name in PERSONS:
            if name != "max":
                self.issue("HBT", name, 100, 1_000, 0)
            self.issue("USD", name, 1_000, 0, 0)

    def both(self, signers: str | tuple[str, ...], act: Instruction, naive: Callable[[Naive], str]) -> None:
        """The act in a block of its own, and its twin; a refused twin has changed nothing."""
        receipt = self.hall.act(signers, act)
        self.naive.tick(1_000)
        found = receipt.rejection.name if receipt.rejection else ""
        assert found == naive(self.naive), act

    @rule(asset=st.sampled_from(["HBT", "USD"]), to=accounts, n=units, cost=costs, days=st.sampled_from([0, 0, 0, 30]))
    def issue(self, asset: str, to: str, n: int, cost: int, days: int) -> None:
        locked = self.hall.time + days * DAY if days else 0
        signers = ALL if asset == "HBT" else ("BANK",)
        act = Issue(asset, account(to), n, cost, locked)
        self.both(signers, act, lambda naive: naive.transfer("issue", asset, "", to, n, cost, locked))

    @rule(asset=st.sampled_from(["HBT", "HBT", "USD"]), source=accounts, to=accounts, n=units, cost=costs)
    def transfer(self, asset: str, source: str, to: str, n: int, cost: int) -> None:
        act = words.send(source, to, n, asset, cost)
        self.both(source, act, lambda naive: naive.transfer("transfer", asset, source, to, n, cost))

    @rule(source=accounts, to=accounts, quarters=st.integers(1, 4))
    def transfer_a_part_of_what_is_free(self, source: str, to: str, quarters: int) -> None:
        self.transfer("HBT", source, to, self.naive.line("HBT", source).free * quarters // 4 or 1, 5)

    @rule(source=accounts, to=accounts, data=st.data())
    def transfer_chosen_lots(self, source: str, to: str, data: st.DataObject) -> None:
        numbers = data.draw(st.lists(st.integers(0, 6), min_size=1, max_size=3, unique=True).map(sorted))
        picks = [(number, data.draw(st.integers(1, 50))) for number in numbers]
        n = sum(part for _, part in picks)
        act = words.send(source, to, n, lots=tuple(LotPick(*pick) for pick in picks))
        self.both(source, act, lambda naive: naive.transfer("transfer", "HBT", source, to, n, picks=picks))

    @rule(source=accounts, n=units)
    def redeem(self, source: str, n: int) -> None:
        act = Redeem("HBT", account(source), n, 0, ())
        self.both((source, *ALL), act, lambda naive: naive.transfer("redemption", "HBT", source, "", n))

    @rule(seller=accounts, buyer=accounts, n=few, cash=few, short=st.sampled_from([0, 0, 0, 1]))
    def settle(self, seller: str, buyer: str, n: int, cash: int, short: int) -> None:
        legs = (
            Leg("HBT", account(seller), account(buyer), n, cash + short, ()),
            Leg("USD", account(buyer), account(seller), cash, 0, ()),
        )

        def twin(naive: Naive) -> str:
            if short:
                return "CostMismatch"
            kept = copy.deepcopy(vars(naive))
            why = naive.transfer("settlement", "HBT", seller, buyer, n, cash)
            why = why or naive.transfer("settlement", "USD", buyer, seller, cash)
            if why:
                vars(naive).update(kept)
            return why

        self.both((seller, buyer) if seller != buyer else seller, Settle(legs, ""), twin)

    @rule(source=accounts, to=accounts, n=units)
    def force(self, source: str, to: str, n: int) -> None:
        self.both(ALL, words.force(source, to, n), lambda naive: naive.force(source, to, n))

    @rule(name=accounts, n=units, free=st.booleans())
    def freeze_units(self, name: str, n: int, free: bool) -> None:
        act = FreezeUnits("HBT", account(name), n, free, "inquiry", EVIDENCE)
        self.both("FSS", act, lambda naive: naive.freeze(name, n, free))

    @rule(name=accounts, other=accounts, stays=st.sampled_from([False, False, True]))
    def freeze_account(self, name: str, other: str, stays: bool) -> None:
        """The account is frozen, or freed; most often it is freed again after some attempts."""
        self.set_frozen(name, name not in self.naive.frozen)
        if not stays:
            self.transfer("HBT", name, other, 1, 0)
            self.force(name, other, 10)
            self.set_frozen(name, name not in self.naive.frozen)

    def set_frozen(self, name: str, frozen: bool) -> None:
        def twin(naive: Naive) -> str:
            if name in naive.moved:
                return "AccountMoved"
            naive.frozen ^= {name}
            return ""

        self.both("FSS", FreezeAccount(account(name), frozen, "inquiry", EVIDENCE), twin)

    @rule(asset=st.sampled_from(["HBT", "USD"]), source=accounts, to=accounts)
    def pause_for_a_moment(self, asset: str, source: str, to: str) -> None:
        for paused in (True, False):
            act = Pause(asset, paused, "inquiry")
            self.both(
                ALL if asset == "HBT" else "BANK",
                act,
                lambda naive: naive.paused.symmetric_difference_update({asset}) or "",
            )
            self.transfer(asset, source, to, 1, 0)
            self.force(source, to, 1)

    @rule(name=accounts, owner=accounts, n=few, days=st.sampled_from([0, 0, 10]))
    def place_hold(self, name: str, owner: str, n: int, days: int) -> None:
        expires = self.hall.time + days * DAY if days else 0
        act = PlaceHold("HBT", account(name), n, account(owner), "pledge", expires)
        self.both(name, act, lambda naive: naive.hold(name, n, owner, expires))

    @rule(pick=st.integers(0, 9), to=accounts, n=few, wrong=st.sampled_from([0, 0, 0, 1]))
    def execute_hold(self, pick: int, to: str, n: int, wrong: int) -> None:
        bearing = [name for name in OWNERS if self.naive.line("HBT", name).holds] or ["kim"]
        name = bearing[pick % len(bearing)]
        holds = self.naive.line("HBT", name).holds
        number = holds[0].number + 1_000 * wrong if holds else 999
        owner = holds[0].owner if holds else name
        while owner in self.naive.moved:
            owner = self.naive.moved[owner]
        act = ExecuteHold("HBT", account(name), number, account(to), n, 0)
        self.both(owner, act, lambda naive: naive.execute(name, number, to, n))

    @rule(pair=pairs)
    def recover(self, pair: tuple[str, str]) -> None:
        lost, new = pair
        act = Recover(account(lost), account(new), "lost", EVIDENCE)
        self.both(("BROKER-A", "KSD"), act, lambda naive: naive.recover(lost, new))

    @rule(name=persons, country=st.sampled_from([*OPEN, *OPEN, "DE"]), days=st.sampled_from([1, 50, 300, 300]))
    def attest(self, name: str, country: str, days: int) -> None:
        expires = self.hall.time + days * DAY
        act = Attest(self.hall.parties[name], "identity", "IDP", country, expires)
        self.both("IDP", act, lambda naive: naive.attest(name, country, expires) or "")

    @rule(name=persons, source=accounts, stays=st.sampled_from([False, True]))
    def revoke(self, name: str, source: str, stays: bool) -> None:
        def twin(naive: Naive) -> str:
            if naive.claims[name].revoked:
                return "NothingToChange"
            naive.claims[name].revoked = True
            return ""

        self.both("IDP", Revoke(self.hall.parties[name], "identity", "IDP", "moved away"), twin)
        self.transfer("HBT", source, name, 1, 0)
        if not stays:
            self.attest(name, PERSONS[name], 300)

    @rule(
        rules=st.fixed_dictionaries(
            {},
            optional={
                "CAP": st.integers(1, 5),
                "MAX": st.sampled_from([50, 100, 200]),
                "PERIOD": st.sampled_from([1, 40]),
                "JAPAN": st.integers(1, 2),
            },
        )
    )
    def adopt(self, rules: dict[str, int]) -> None:
        act = AdoptRules("HBT", Terms(TRUST, OPEN, compiled(rules)))
        self.both(ALL, act, lambda naive: vars(naive).update(rules=rules) or "")

    @rule(days=st.sampled_from([1, 10, 40]))
    def wait(self, days: int) -> None:
        self.hall.wait(days * DAY)
        self.naive.tick(days * DAY)

    @invariant()
    def the_registers_are_equal(self) -> None:
        for asset in ("HBT", "USD"):
            assert (self.hall.view.get(SUPPLY, asset) or 0) == self.naive.supply(asset)
            holders = self.naive.holders(asset)
            assert self.hall.count(asset) == len(holders)
            for country in (*OPEN, "DE", ""):
                counted = sum(1 for person in holders if self.naive.counted[asset, person] == country)
                assert self.hall.count(asset, "country", country) == counted
            for name in OWNERS:
                self._lines_are_equal(asset, name)

    def _lines_are_equal(self, asset: str, name: str) -> None:
        found, wanted = line(self.hall.view, asset, account(name)), self.naive.line(asset, name)
        assert (found.units, found.held, found.frozen, found.frozen_since) == (
            wanted.units, wanted.held, wanted.frozen, wanted.since,
        )  # fmt: skip
        lots = [(n, lot.units, lot.acquired, lot.cost, lot.locked)
                for n, lot in lots_of(self.hall.view, asset, account(name))]  # fmt: skip
        assert lots == [(lot.number, lot.units, lot.acquired, lot.cost, lot.locked) for lot in wanted.lots]
        holds = [(n, hold.units, hold.owner) for n, hold in holds_of(self.hall.view, asset, account(name))]
        assert holds == [(hold.number, hold.units, account(hold.owner)) for hold in wanted.holds]


TestTwoLedgers = TwoLedgers.TestCase
TestTwoLedgers.settings = settings(max_examples=25, stateful_step_count=50, phases=[Phase.generate])
