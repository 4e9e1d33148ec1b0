"""Intake: the wall. Bytes come in from strangers; what is too large, malformed, wrongly signed, expired or repeated is
refused here with a code and a sentence, and counted. What passes waits, bounded, to be cut into batches.

Does not own: what a transaction means (``ledger``), its place (``ordering``).
"""
