"""Pages of what bounds and binds: facts for rules, parameters and limits, invariants."""

import ast
import inspect
from typing import get_args

from scripts.reference.markdown import number, page, said, table
from stoa.kernel import limits
from stoa.ledger import explained
from stoa.ledger import invariants as ledger_invariants
from stoa.ledger.compliance.conditions import Operator
from stoa.ledger.compliance.facts import CATEGORY_AFTER, COUNTRY_AFTER, FACTS, RECEIVER_CLAIM, SENDER_CLAIM, fact
from stoa.ledger.compliance.model import PHASES, Force
from stoa.ledger.governance import model as governance

FAMILIES = ((SENDER_CLAIM, "TOPIC"), (RECEIVER_CLAIM, "TOPIC"), (COUNTRY_AFTER, "CC"), (CATEGORY_AFTER, "NAME"))
WHEN = {
    "issue": "new units, by the controllers",
    "offering": "an allotment of an offering",
    "transfer": "between two accounts, free of payment",
    "settlement": "delivery against payment, and the execution of a hold",
    "forced": "by all controllers together, against the holder's will",
    "recovery": "a lost account to a new one of the same person",
    "redemption": "units leave the ledger",
    "income": "a distribution, in cash or in kind, and tax",
}
MEANING = {
    governance.QUORUM: "0: majority, over half, survives crashes; 1: Byzantine, over two thirds, survives liars",
    governance.BATCH_TRANSACTIONS: "transactions at which a batch is cut",
    governance.BATCH_BYTES: "bytes of envelopes at which a batch is cut",
    governance.BATCH_LINGER_MS: "milliseconds after its first transaction at which a batch is cut",
    governance.CLOCK_TOLERANCE_MS: "milliseconds that a batch's time may be off the log's",
    governance.CHECKPOINT_BLOCKS: "blocks from one root over all rows to the next, signed by all validators; 0: never",
    governance.BODY_REPLICAS: "validators that keep the body of an old block; 0: all",
}


def facts() -> str:
    """The vocabulary of rules."""
    known = {name: (kind.number, kind.meaning) for name, kind in FACTS.items()}
    for prefix, word in FAMILIES:
        kind = fact(prefix + word)
        assert kind is not None
        known[prefix + word] = (kind.number, kind.meaning)
    rows = [(f"`{name}`", "number" if is_number else "word", meaning) for name, (is_number, meaning) in known.items()]
    operators = ", ".join(f"`{one}`" for one in get_args(Operator))
    forces = ", ".join(f"`{one}`" for one in get_args(Force))
    return page(
        "Facts for rules",
        "A rule compares facts with values. The vocabulary is closed: a rule with another name is not adopted. "
        "*Afterwards* means as things would stand once the movement is done. Facts speak of persons over all their "
        "accounts. A missing claim is the empty word.",
        table(("fact", "is a", "meaning"), rows),
        "## Operators\n\n" + operators + ". A word has no order; `in` and `not in` take a list of words.",
        "## Phases\n\n" + table(("phase", "the movement"), [(f"`{name}`", WHEN[name]) for name in PHASES]),
        "## Force\n\nWhere a rule comes from: " + forces + ". It is information; the dates decide.",
    )


def parameters() -> str:
    """Governed numbers, then bounds that only a new version changes."""
    rows = [
        (f"`{name}`", number(governance.DEFAULTS[name]), f"{number(low)} to {number(high)}", MEANING[name])
        for name, (low, high) in governance.BOUNDS.items()
    ]
    fixed = _comments(inspect.getsource(limits))
    values = [(f"`{name}`", number(getattr(limits, name)), note) for name, note in fixed.items()]
    return page(
        "Parameters and limits",
        "A parameter is a row of the ledger: genesis sets it, a vote of the validators changes it. A limit is fixed.",
        "## Governed parameters\n\n" + table(("parameter", "default", "bounds", "meaning"), rows),
        "## Limits\n\n" + table(("limit", "value", "of"), values),
    )


def _comments(source: str) -> dict[str, str]:
    """The trailing comment of every constant that a module assigns, by its name."""
    lines = source.splitlines()
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id.isupper():
            found[node.target.id] = lines[(node.end_lineno or node.lineno) - 1].partition("  # ")[2]
    return found


def invariants() -> str:
    """What ``stoa verify`` checks over the whole state."""
    rows = [
        (f"`{one.name}`", one.check.__module__.split(".")[2], said(one.check.__doc__)) for one in ledger_invariants.ALL
    ]
    return page(
        "Invariants",
        said(ledger_invariants.__doc__),
        table(("invariant", "domain", "says"), rows),
        f"## `{explained.NAME}`\n\n" + said(explained.__doc__),
    )
