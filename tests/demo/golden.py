"""The golden outcome of the example's story: figures that may change on purpose only.

Re-record after an intended change: ``python -m tests.demo.golden``, and read the difference before committing it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FILE = Path(__file__).with_name("golden.json")
COMMAND = [sys.executable, "-c", "from stoa.cli.app import main; main(['demo', '--exit', '--json'])"]


def start(hash_seed: int) -> "subprocess.Popen[bytes]":
    """The whole story in a process of its own, under this PYTHONHASHSEED."""
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    return subprocess.Popen(COMMAND, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def outcome(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """The report of a story that was started."""
    out, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors.decode() + out.decode()[-2_000:]
    report: dict[str, Any] = json.loads(out)
    return report


def summary(report: dict[str, Any]) -> dict[str, Any]:
    """What is golden of a report: roots, balances, totals, and each refusal with its reasons."""
    refusals = [
        {"sentence": step["en"], "reasons": [label(reason) for reason in step["reasons"]]}
        for step in report["steps"]
        if step["kind"] == "refused"
    ]
    kept = ("balances", "supply", "offerings", "distribution", "height", "state_root")
    return {name: report[name] for name in kept} | {"refusals": refusals}


def label(reason: dict[str, Any]) -> str:
    """A reason's name, and its rule's id where a rule failed."""
    return f"{reason['name']}:{reason['rule']}" if reason["rule"] else str(reason["name"])


if __name__ == "__main__":
    FILE.write_text(json.dumps(summary(outcome(start(0))), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
