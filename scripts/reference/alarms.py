"""The page of alarms, evidence and readiness: each code with its figures and its sentence in both languages."""

from scripts.reference.markdown import page, said, table
from stoa.node.details import ALARMS, DETAILS, EVIDENCE, READINESS
from stoa.node.sayings import SAYINGS
from stoa.ordering.condition import UNWELL


def alarms() -> str:
    """Every code that an alarm, a batch that makes no block, evidence or readiness may be told with."""
    parts = []
    for kind in ALARMS:
        parts += [f"## `{kind}`\n\n[What to do](../operations/runbook.md#alarm-{kind}).", _codes(kind)]
    parts += ["## Evidence\n\n[What to do](../operations/runbook.md#stoa_evidence_total-rises).", _codes(EVIDENCE)]
    parts += ["## Readiness", "Why `GET /health/ready` is 503, beside the alarms.", _codes(READINESS)]
    rows = [(f"`{one.kind}`", one.en, one.ko) for one in UNWELL.values()]
    parts += ["## The ordering log", "What is wrong with it, in `log` of `GET /v1/network` and behind `log_unwell`."]
    parts.append(table(("condition", "English", "Korean"), rows))
    return page(
        "Alarms",
        "What `GET /v1/network` and `GET /v1/evidence` tell as a code with its figures and its sentence. "
        "The log has the code and the English one. The codes of `batch` also say why a batch of anybody makes no "
        "block, and what evidence against its producer says (kind `bad_batch`).",
        *parts,
    )


def _codes(kind: str) -> str:
    rows = []
    for one in DETAILS:
        if one.kind == kind:
            code = str(one.__struct_config__.tag)
            rows.append((f"`{code}`", said(one.__doc__), SAYINGS[code].en, SAYINGS[code].ko))
    return table(("code", "means", "English", "Korean"), rows)
