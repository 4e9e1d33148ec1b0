"""Stoa: a hall for tokenised securities on one ledger that the institutions of a market keep together.

The rooms are described in ARCHITECTURE.md; nothing happens on import.
"""

__version__ = "0.1.0"
