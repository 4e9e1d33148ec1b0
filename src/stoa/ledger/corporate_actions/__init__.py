"""Corporate actions: income on a security, by record date, in cash or in units of another security.

Owns: each distribution from its announcement to its last unclaimed unit. Does not own: the money (it lies on the paying
account under a hold of this business), the register as of the record (``assets``), movements (``settlement``).

Who signs: the issuer's agent and the paying account announce; the agent cancels before the record; the payee, or the
agent for him, claims what could not be paid. Record and payment fall due by themselves.

The life of a distribution:

1. Announced: the pool is under a hold. A rate per unit whose product with the supply exceeds the pool is refused.
2. Recorded, before anything else in the first block at or after the record time: entitlement is the units of each line
   at that moment, held, frozen and pledged ones included, for the owner of record. The pool is tested again, with
   the units of the record: if it fails, the hold is lifted and nobody is paid.
3. Paid, a bounded number of lines a block in account order. gross = floor(pool x units / all units), or
   floor(rate x units); net = floor(gross x (1 - tax rate)); tax = gross - net. The tax rate is that of the country of
   residence attested for the security, and of the investor category if the table names one; else the default.
   A net that a rule refuses stays under the hold, unclaimed, with its reasons. A recovered account is paid at its
   successor. What the paying account owes to itself is set free.
4. Complete: net + tax + unclaimed + residue == pool, and the residue is free again on the paying account.

Tax goes to the tax account in one movement a block; while that is refused it waits under the hold. Income in kind has
no tax here: it is due in cash, outside. Refused, in this order: unknown assets and accounts, authority, a used
name, the other kind of asset, a moved or frozen paying account, dates, tax table, pool, liens, the rules.
"""
