"""Words that everyone shares: identifiers, money, time, limits, canonical bytes, hashes, signatures, and the base
types of instruction, event, rejection and context.

Promises: pure functions and frozen values, the same on every machine.
Does not own: any rule of any market, any I/O, any clock. Nothing here imports another room.
"""
