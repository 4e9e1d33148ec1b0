"""The deterministic state machine: what every transaction means, on every machine, for ever.

Owns the register (identity, assets, holds), the rules (compliance), the one path for value (settlement) and the
business that instructs it. Does not own order, storage, keys or clocks: they arrive as arguments.
Start with ``machine.py``; ``catalog.py`` is the one window for other rooms.
"""
