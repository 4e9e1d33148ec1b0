"""What crosses the wall: envelope, signature, batch, block, vote, certificate, checkpoint, head of the log.

Owns the shapes, the domain-separated digests that are signed, and the checks that need no state.
Does not own: what an instruction means (``ledger``), who may produce or vote (``ledger/governance``), any transport.
"""
