"""Offerings: new units of a security class are subscribed against cash under a hold, then allotted and settled.

Owns: the terms of an offering, the book of its subscriptions, the allotment, the close. Does not own: movements
(``settlement`` moves cash and units), liens (``holds``), eligibility (``compliance``; asked through ``settlement``).

Who signs: all controllers of the class open an offering; an investor's account subscribes and, where the terms let it,
withdraws before the close; the issuer's agent closes early, when all units are subscribed or where the terms let him.
Nobody needs to close at the deadline: that is due work.

The price of a subscription is that of the tier in force when it was made: ``until`` is the first millisecond at which
a tier is over, and the last tier ends with the window. Its cost, units times price, is held on the investor's cash.

- ``units`` are on offer and the most that is sold. ``hard_cap`` is the most that may be subscribed: equal to
  ``units`` for first come, first served; above it, what is over-subscribed is cut by the allotment rule.
- ``soft_cap`` is the least that must be subscribed, or everybody is refunded.
- ``minimum`` and ``limit`` bound what one person subscribes over all his accounts. An allotment may be below them.

The close is bounded work a block, in passes over the book in the order of subscription; the book takes and gives back
nothing meanwhile. 1. Judging: who could not be allotted all he asked for any more (claim expired, cash taken by force,
account frozen ...) is refunded with every reason. 2. If what remains is below the soft cap, all are refunded, to the
unit; nobody pays. 3. Allotting, of the units on offer to what remains:

- not over-subscribed: ``in_full``;
- ``time``: in the order of subscription, the last one in part;
- ``pro_rata``: by largest remainder. Each gets floor(units on offer x his units / units subscribed); the units that
  are left go one each to the largest remainders, ties to the earlier subscription. So nobody gets more than he asked.

4. Settling, each allotment atomically: the hold lifted, cash to the proceeds account, new units to the investor with
his payment as the lot's cost and the lock-up of the terms, the rest of his cash freed. Who is refused only now, by a
rule that the allotments before his have exhausted (a cap on holders), is refunded with the reasons; his units remain
unsold. An account that was recovered meanwhile is followed to its successor.

Each verb refuses in the order of its ``rejections``: existence, authority, state, limits, then the movements' reasons.
"""
