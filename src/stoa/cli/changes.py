"""What members may propose, from the words of a command: the form of a change, and that of its proposal.

Does not own: who signs and sends it (``network_members``, ``acting``), or the rules (``ledger.governance``).
"""

from pathlib import Path
from string import hexdigits
from typing import Any, Final, Literal

from stoa.cli.shell import Usage, write_json

Form = dict[str, Any]
Kind = Literal["admit", "remove", "rotate", "set", "adopt", "retire"]
KINDS: Final = "admit CODE KEY, remove CODE, rotate CODE KEY, set NAME=VALUE …, adopt FILE of a rule pack, retire PACK"
FIELDS: Final = {"admit": ("institution", "key"), "remove": ("institution",), "rotate": ("institution", "key")}


def change_of(kind: Kind, words: list[str]) -> Form:
    """The form of the change. Raises Usage."""
    if kind == "set":
        return {"tag": "set", "settings": _settings(words)}
    if kind == "adopt":
        return {"tag": "adopt_pack", **_pack(_only("adopt", "FILE", words))}
    if kind == "retire":
        return {"tag": "retire_pack", "code": _only("retire", "PACK", words)}
    wanted = FIELDS[kind]
    if len(words) != len(wanted):
        raise Usage(f"{kind}: wanted is CODE" + (" KEY" if len(wanted) > 1 else ""))
    _require_code(kind, words[0])
    if len(wanted) > 1:
        _require_key(kind, words[1])
    return {"tag": kind, **dict(zip(wanted, words, strict=True))}


def _require_code(kind: str, word: str) -> None:
    from stoa.kernel.identifiers import CODE_RULE, is_code

    if not is_code(word):
        raise Usage(f"{kind}: CODE is an institution's: {CODE_RULE} ({word!r})")


def _require_key(kind: str, word: str) -> None:
    from stoa.kernel.signing import PUBLIC_BYTES, is_public_key

    rule = f"{kind}: KEY is a voting key, {PUBLIC_BYTES} bytes as {2 * PUBLIC_BYTES} hexadecimal digits"
    if not set(word) <= set(hexdigits):
        raise Usage(f"{rule} ({word!r})")
    if len(word) != 2 * PUBLIC_BYTES:
        raise Usage(f"{rule}, this one {len(word)} ({word!r})")
    if not is_public_key(bytes.fromhex(word)):
        raise Usage(f"{kind}: KEY is a point of secp256k1 in compressed form ({word!r})")


def _settings(words: list[str]) -> list[Form]:
    pairs = [word.partition("=") for word in words]
    if not pairs or not all(value.isdigit() for _, _, value in pairs):
        raise Usage("set: wanted is NAME=VALUE with a whole number, e.g. quorum=1")
    return [{"name": name, "value": int(value)} for name, _, value in pairs]


def _only(kind: str, what: str, words: list[str]) -> str:
    if len(words) != 1:
        raise Usage(f"{kind}: wanted is {what}")
    return words[0]


def _pack(file: str) -> Form:
    from stoa.demo.files import read_pack
    from stoa.demo.reading import BadFile

    try:
        return read_pack(Path(file))
    except BadFile as error:
        raise Usage(str(error), file=error.file, line=error.line, field=error.field) from None


def words_of(change: Form) -> str:
    """A change as its words, the reverse of ``change_of``; of a rule pack its code."""
    match change["tag"]:
        case "set":
            return " ".join(["set", *(f"{one['name']}={one['value']}" for one in change["settings"])])
        case "adopt_pack":
            return f"adopt {change['code']}"
        case "retire_pack":
            return f"retire {change['code']}"
        case kind:
            return " ".join([kind, *(str(change[field]) for field in FIELDS[kind])])


def write_proposal(by: str, change: Form, height: int, hours: int, reason: str) -> None:
    """Write the proposal's instruction as JSON, for ``stoa explain`` and ``stoa submit``. Raises Usage."""
    from stoa.ledger.catalog import INSTRUCTION_BY_TAG
    from stoa.network.deciding import HOUR_MS, proposal_of
    from stoa.node.node import wall_clock
    from stoa.wire.forms import BadForm, pick_form, to_form

    if not by or not height:
        raise Usage("--form: wanted are --by and --at-height")
    form = proposal_of(by, change, height, wall_clock() + hours * HOUR_MS, reason)
    try:
        write_json(to_form(pick_form(INSTRUCTION_BY_TAG, form)))
    except BadForm as error:
        raise Usage(str(error)) from None
