"""Income for many: exact to the last unit whatever the figures, and in small steps between other people's business."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from stoa.kernel import limits
from stoa.kernel.base import Event, Instruction
from stoa.kernel.money import Rate
from stoa.kernel.time import DAY
from stoa.ledger.compliance.attest import Attest
from stoa.ledger.compliance.revoke import Revoke
from stoa.ledger.corporate_actions.events import DistributionCompleted, DistributionRecorded, IncomePaid
from stoa.ledger.corporate_actions.model import PRO_RATA, TaxRate
from stoa.ledger.corporate_actions.pay import ACT_LINES, SPARE
from stoa.ledger.identity.freeze_account import FreezeAccount
from stoa.ledger.identity.open_account import OpenAccount
from stoa.ledger.identity.register_party import RegisterParty
from stoa.ledger.settlement.issue import Issue
from stoa.ledger.settlement.transfer import Transfer
from tests.ledger.hall import EVIDENCE, Hall, account, public
from tests.ledger.income import announce, check, due, only, progress

CROWD = 3_000
PER_ENVELOPE = 60
FIRST_PARTY = 50_000
COUNTRIES = ("KR", "US", "JP", "DE", "SG", "FR")

rates = st.builds(lambda under, share: Rate(under * share // 100, under), st.integers(1, 10**9), st.integers(0, 100))


def floor(value: Fraction) -> int:
    return value.numerator // value.denominator


@settings(max_examples=60, deadline=None)
@given(
    units=st.lists(st.integers(1, 10**10), min_size=1, max_size=6),
    pool=st.integers(1, 10**15),
    per_unit=st.just(PRO_RATA) | rates,
    default_rate=rates,
    table=st.dictionaries(st.sampled_from(COUNTRIES), rates),
    frozen=st.sets(st.integers(0, 5), max_size=2),
    revoked=st.sets(st.integers(0, 5), max_size=2),
)
def test_every_unit_of_the_pool_is_accounted_for(
    units: list[int],
    pool: int,
    per_unit: Rate,
    default_rate: Rate,
    table: dict[str, Rate],
    frozen: set[int],
    revoked: set[int],
) -> None:
    hall = crowded(len(units))
    hall.issue("USD", "payer", pool)
    for at, part in enumerate(units):
        hall.issue("HBT", f"p{at}", part)
    if per_unit.over:
        pool = max(pool, floor(Fraction(per_unit.over * sum(units), per_unit.under)))
        hall.issue("USD", "payer", pool)
    for at in sorted(frozen & set(range(len(units)))):
        hall.do("BROKER-A", FreezeAccount(account(f"p{at}"), True, "order", EVIDENCE))
    for at in sorted(revoked & set(range(len(units)))):
        hall.do("IDP", Revoke(FIRST_PARTY + at, "identity", "IDP", "moved"))
    rows = tuple(TaxRate(country, "", rate) for country, rate in table.items())
    announce(hall, pool=pool, per_unit=per_unit, default_rate=default_rate, rates=rows)
    due(hall)
    events = due(hall)
    nets = taxes = waits = 0
    for at, part in enumerate(units):
        gross = floor(Fraction(pool * part, sum(units)) if not per_unit.over else exact(per_unit) * part)
        rate = default_rate if at in revoked else table.get(COUNTRIES[at], default_rate)
        net = floor(gross * (1 - exact(rate)))
        taxes += gross - net
        stopped = net and at in frozen | revoked
        nets, waits = (nets, waits + net) if stopped else (nets + net, waits)
        assert hall.units("USD", f"p{at}") == (0 if stopped else net)
    done = only(events, DistributionCompleted)
    assert (done.net, done.tax, done.unclaimed) == (nets, taxes, waits)
    assert done.net + done.tax + done.unclaimed + done.residue == pool
    assert hall.units("USD", "taxes") == taxes


def exact(rate: Rate) -> Fraction:
    return Fraction(rate.over, rate.under)


def crowded(many: int) -> Hall:
    """Cash, a security open to everybody, who pays, who taxes, and p0, p1, … of the countries in turn."""
    hall = Hall()
    hall.cash()
    hall.security(countries=("*",))
    hall.person("payer")
    hall.person("taxes")
    opened: list[Instruction] = []
    attested: list[Instruction] = []
    for at in range(many):
        opened.append(RegisterParty(FIRST_PARTY + at, False, "BROKER-A"))
        opened.append(OpenAccount(FIRST_PARTY + at, "BROKER-A", 1, (public(f"p{at}"),)))
        country = COUNTRIES[at % len(COUNTRIES)]
        attested.append(Attest(FIRST_PARTY + at, "identity", "IDP", country, hall.time + 900 * DAY))
    many_at_once(hall, "BROKER-A", opened)
    many_at_once(hall, "IDP", attested)
    return hall


def many_at_once(hall: Hall, signers: str | tuple[str, ...], instructions: list[Instruction]) -> None:
    parts = [instructions[at : at + PER_ENVELOPE] for at in range(0, len(instructions), PER_ENVELOPE)]
    receipts = hall.block(*[hall.signed(signers, *part) for part in parts])
    assert all(receipt.applied for receipt in receipts)


def test_a_crowd_is_paid_over_several_blocks_between_other_business() -> None:
    hall = crowded(CROWD)
    many_at_once(hall, ("AGENT", "KSD"), [Issue("HBT", account(f"p{at}"), at + 1, 0, 0) for at in range(CROWD)])
    hall.security("SPC", countries=("*",))
    hall.issue("SPC", "payer", 10)
    hall.issue("USD", "payer", 10_000_100)
    payment = hall.time + 2 * DAY
    announce(hall, pool=10_000_000, per_unit=PRO_RATA, default_rate=Rate(154, 1_000), payment=payment)
    announce(hall, "LATE", asset="SPC", pool=10, per_unit=PRO_RATA, record=payment + 1_500, payment=payment + DAY)
    due(hall)
    hall.block(later=payment - 1 - hall.time)
    events: list[Event] = []
    blocks = 0
    while progress(hall).status != "complete":
        move = Transfer("HBT", account(f"p{CROWD - 1 - blocks}"), account(f"p{blocks}"), 1, 0, ())
        transaction, *work = hall.block(hall.signed(f"p{CROWD - 1 - blocks}", move))
        assert transaction.applied
        done = [event for receipt in work for event in receipt.events]
        if blocks == 1:  # its time came while the crowd was being paid, and it did not wait
            assert only(done, DistributionRecorded).distribution == "LATE"
        served = [event for event in done if isinstance(event, IncomePaid)]
        assert 0 < len(served) <= limits.MAX_DUE_STEPS - SPARE
        acts = [sum(isinstance(event, IncomePaid) for event in receipt.events) for receipt in work]
        assert max(acts) <= ACT_LINES, "the proof of one holder's income carries its whole act"
        events += done
        blocks += 1
        check(hall)
    assert blocks > CROWD // limits.MAX_DUE_STEPS
    paid = {event.account: event for event in events if isinstance(event, IncomePaid)}
    total = CROWD * (CROWD + 1) // 2
    assert [paid[account(f"p{at}")].gross for at in range(CROWD)] == [
        10_000_000 * (at + 1) // total for at in range(CROWD)
    ]
    closed = only(events, DistributionCompleted)
    assert closed.net + closed.tax + closed.residue == 10_000_000
    assert (closed.holders, hall.units("USD", "taxes")) == (CROWD, closed.tax)
