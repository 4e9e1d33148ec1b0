"""The ledger's past, held to account by one small file: whoever keeps a root of the log proves later, with the
validators' public keys and no other trust, that nothing before it was changed.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from stoa.client.errors import Unreachable
from stoa.client.plans import Ask, Plan, read
from stoa.wire.forms import BadForm, from_form, to_form
from stoa.wire.history import LogHead, LogRoot, check_extends, check_head


def read_root(file: Path) -> LogRoot:
    """The root that was kept. Raises OSError, and ValueError when the file holds none."""
    return from_form(LogRoot, msgspec.json.decode(file.read_bytes()))


def write_root(file: Path, root: LogRoot) -> None:
    """Keep a root; a former file is replaced whole or not at all. Raises OSError."""
    new = file.with_name(f"{file.name}.new")
    new.write_bytes(msgspec.json.format(msgspec.json.encode(to_form(root))) + b"\n")
    os.replace(new, file)


def check_history(since: LogRoot | None, keys: Mapping[str, bytes], quorum: int) -> Plan[LogRoot]:
    """Ask for the log's head and for the paths to it, and check them. Raises BadProof."""
    head = _head((yield from read(dict[str, Any], Ask("GET", "/v1/log"))))
    last = yield from _path("inclusion", height=head.size, size=head.size)
    root = check_head(head, last, keys, quorum)
    if since is not None:
        askable = since.height <= root.height
        path = (yield from _path("consistency", first=since.height, second=root.height)) if askable else []
        check_extends(since, root, path)
    return root


def _head(form: dict[str, Any]) -> LogHead:
    known = {name: form[name] for name in LogHead.__struct_fields__ if name in form}
    try:
        return from_form(LogHead, known)
    except BadForm as error:
        raise Unreachable(f"the answer is not one of this API: {error}") from None


def _path(kind: str, **figures: int) -> Plan[list[bytes]]:
    found = yield from read(dict[str, list[str]], Ask("GET", f"/v1/log/{kind}", figures))
    try:
        return [bytes.fromhex(one) for one in found["path"]]
    except (KeyError, ValueError) as error:
        raise Unreachable(f"the answer is not one of this API: {error}") from None
