"""Holds: liens on units of a line, and the freeze of units.

Owns: each hold with its reason, its owner, and its optional expiry; the frozen part of a line. A hold never changes the
owner of record: income keeps coming to him. Does not own: movements; executing a hold is an act of ``settlement``.

Who signs: the line's account places a hold in favour of an owner; the owner (once recovered, its successor) releases or
executes it, alone; a business of the ledger (an offering, a trade) places holds that only this business ends.
Controllers of the asset, the custodian or the supervisor freeze units, and may free what is frozen. A freeze may exceed
the balance: it then catches what comes later. Force takes free units first, then from the oldest encumbrance.
"""
