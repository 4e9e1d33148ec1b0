"""The demonstration: the whole life of one security, told on a real node from input files that people can read.

Owns the reading of such files (``files`` and what it uses), the cast with its simulated keys, the story clock, and the
story, one file a chapter. Promises: every step says what is expected before it says what happened; the same files give
the same state root. Does not own any rule: what is refused here is refused by the ledger.
"""
