"""Python's search for cycles, told to rest: this process makes objects by the million and hardly ever a cycle.

By default every 700 new objects are looked through, and all objects each time they have grown by a quarter; while
income is paid to a crowd that takes a tenth to a third of the time. What is freed by counting references is freed at
once as before. For a process that runs a node; a library does not decide this for others.
"""

import gc
from typing import Final

YOUNG: Final = 50_000  # new objects between two looks at the youngest
MIDDLE: Final = 20  # looks at the youngest between two at the next generation
OLD: Final = 50  # looks at that between two at everything


def rest_collector() -> None:
    """Set the thresholds, and take what is there already, mostly modules, out of the search."""
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    gc.freeze()
