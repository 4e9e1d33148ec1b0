"""The node: where the rooms meet. Starts them, hands them to one another, and keeps one validator's ledger going.

``commit.py`` is the loop: a batch in its place becomes a block, a block becomes final. ``recovery.py`` brings a node
back to where its journal says it was. Does not own: meaning (``ledger``), order (``ordering``), the record
(``journal``).
"""
