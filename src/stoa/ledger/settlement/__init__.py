"""Settlement: the only room that debits and credits. Every other business instructs it.

Owns: the movement (``moves.py``) that issue, transfer, delivery against payment, redemption, force, recovery, offering
and income all pass through, so one path runs every rule. Does not own: terms, liens, rules; it asks the rooms that do.

Who signs: the asset's controllers issue (a bank alone its own cash); the account's own keys transfer, settle and
redeem; the owner of a hold executes it; all controllers together force a transfer; the custodian and a registrar
together recover a lost account.

A movement is refused, gravest first, for: an unknown asset; an unknown or recovered account, or twice the same one; a
halted asset; a frozen account; too few units, or too few free; lots that do not fit or are locked; more than was
authorised, or than a line can hold; a line more than an account may have; then everything that compliance says.
"""
