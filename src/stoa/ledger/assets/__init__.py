"""Assets: securities with their terms and classes, cash tokens, and the register of who holds what in which lots.

Owns: what an asset is, who controls it, its supply, the lines of the register and the lots behind each line.
Does not own: movements (``settlement`` alone debits and credits), liens (``holds``), rules (``compliance``).

Who signs: a settlement bank registers its cash token; the issuer's agent and the registrar together create a security,
which is refused without its offering document, issuer's details, compliance statement or qualification rules; any one
controller pauses an asset, all of them resume it.

A lot is an acquisition: units, when, from whom, at what cost, locked until when. Lots of a line are numbered in the
order in which they came to it; the first leave first unless the holder names others. Costs are in the smallest unit of
the security's currency.
"""
