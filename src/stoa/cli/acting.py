"""``stoa submit`` and ``stoa explain``: instructions from a file to a final receipt, or to every reason why not.

A file holds one instruction, or a list under ``instructions``, as forms: JSON objects or TOML tables with the fields of
the instruction, accounts as addresses (``stoa catalog instructions`` lists them). ``-`` reads standard input.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import Parameter

from stoa.cli.houses import config_of, door, folder_of, passphrase
from stoa.cli.shell import PLAIN, Common, Refused, Trouble, Usage, app

if TYPE_CHECKING:
    from rich.console import Console

    from stoa.custody.keystore import Key, Keystore
    from stoa.kernel.base import Instruction

MAX_WAIT: Final = 300.0
File = Annotated[
    str, Parameter(allow_leading_hyphen=True, help="A JSON or TOML file of instructions, or - for standard input.")
]
Signer = Annotated[list[str], Parameter(name="--sign", help="A key's name; the first one is the author.", negative="")]


@app.command
def submit(
    file: File,
    *,
    sign: Signer = [],  # noqa: B006 - cyclopts copies it
    envelope: Annotated[bool, Parameter(negative="", help="The file is a signed envelope: bytes, or hex.")] = False,
    wait: Annotated[float, Parameter(help="Seconds to wait for the final receipt; 0 does not wait.")] = 30.0,
    common: Common = PLAIN,
) -> None:
    """Sign instructions with keys of the keystore, submit them, and wait for the final receipt."""
    from stoa.client import ClientError, NotFinal, ProblemError

    if not 0 <= wait <= MAX_WAIT:
        raise Usage(f"--wait: wanted are 0 to {MAX_WAIT:.0f} seconds")
    raw = _bytes(file)
    with door(common) as (client, url):
        try:
            signed = _envelope(raw) if envelope else _signed(common, url, _instructions(file, raw), sign)
            receipt = client.send(signed, wait)
        except ProblemError as error:
            raise _problem(common, error) from None
        except NotFinal as error:
            answer = {"status": "accepted", "transaction": error.transaction.hex()}
            common.done(answer, f"Accepted, not final yet: {answer['transaction']}", f"접수됨: {answer['transaction']}")
            return
        except ClientError as error:
            raise Trouble(str(error)) from None
    from stoa.api.facts import receipt_form

    form = receipt_form(receipt)
    if receipt.rejection is not None:
        why = receipt.rejection
        raise Refused(f"{why.name} ({why.code}): {why.sentence(common.tongue)}", receipt=form)
    place = f"block {receipt.height}, index {receipt.index}, {receipt.transaction.hex()}"
    common.done({"status": "final", "receipt": form}, f"Final: {place}", f"확정: {place}")


@app.command
def explain(file: File, *, sign: Signer = [], common: Common = PLAIN) -> None:  # noqa: B006 - cyclopts copies it
    """Say every rule that fails, with its figures, and what would happen: before anyone signs."""
    from stoa.client import ClientError, ProblemError

    instructions = _instructions(file, _bytes(file))
    accounts = [key.account for key in _keys(_keystore(common), _names(common, sign))]
    with door(common) as (client, _):
        try:
            found = client.explain(instructions, accounts[0], *accounts[1:])
        except ProblemError as error:
            raise _problem(common, error) from None
        except ClientError as error:
            raise Trouble(str(error)) from None
    reasons = [
        {"name": one.name, "code": one.code, "sentence": _sentence(one, common.tongue), "figures": one.figures,
         "instruction": one.instruction}
        for one in found.reasons
    ]  # fmt: skip
    if reasons:
        raise Refused("\n".join(_line(one) for one in reasons), allowed=False, reasons=reasons)
    answer = {"allowed": True, "reasons": [], "events": found.events}

    def show(out: "Console") -> None:
        out.print(common.words("Nothing is against it. It would do:", "거절 사유가 없습니다. 실행되면:"))
        for event in found.events:
            out.print_json(data=event)

    common.answer(answer, show)


def _line(reason: dict[str, Any]) -> str:
    from stoa.demo.report import found_figures

    found = found_figures(reason["figures"])
    return f"{reason['name']} ({reason['code']}): {reason['sentence']}" + (f" [{found}]" if found else "")


def _bytes(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise Usage(f"{file}: {error.strerror}") from None


def _envelope(raw: bytes) -> bytes:
    try:
        return bytes.fromhex(raw.decode("ascii").strip())
    except ValueError:
        return raw


def _instructions(file: str, raw: bytes) -> "list[Instruction]":
    """The instructions that the file describes. Raises Usage with the place of what is wrong."""
    from stoa.ledger.catalog import INSTRUCTION_BY_TAG
    from stoa.wire.forms import BadForm, pick_form

    forms = _forms(file, raw)
    made = []
    for number, form in enumerate(forms):
        try:
            made.append(pick_form(INSTRUCTION_BY_TAG, form))
        except BadForm as error:
            raise Usage(f"{file}: instruction {number}: {error}. See: stoa catalog instructions") from None
    return made


def _forms(file: str, raw: bytes) -> list[Any]:
    import tomllib

    import msgspec

    try:
        toml = file.endswith(".toml") or (file == "-" and raw.lstrip()[:1] not in (b"{", b"["))
        found = tomllib.loads(raw.decode("utf-8")) if toml else msgspec.json.decode(raw)
    except (msgspec.DecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Usage(f"{file}: {error}") from None
    listed = found.get("instructions", [found]) if isinstance(found, dict) else found
    if not isinstance(listed, list) or not listed:
        raise Usage(f"{file}: wanted is an instruction, or a list of them under instructions")
    return listed


def _names(common: Common, sign: Sequence[str]) -> Sequence[str]:
    if not sign:
        raise Usage(common.words("--sign NAME is needed: a key of `stoa keys list`.", "--sign 키이름 이 필요합니다."))
    return sign


def _keystore(common: Common) -> "Keystore":
    from stoa.custody.keystore import Keystore, KeystoreError

    try:
        return Keystore(folder_of(common) / config_of(common).keystore, passphrase(common))
    except KeystoreError as error:
        raise Usage(str(error)) from None


def _keys(keystore: "Keystore", names: Sequence[str]) -> "list[Key]":
    from stoa.custody.keystore import KeystoreError

    try:
        return [keystore.key(name) for name in names]
    except KeystoreError as error:
        known = ", ".join(key.name for key in keystore.listing())
        raise Usage(f"--sign: {error} Known are: {known}") from None


def _signed(common: Common, url: str, instructions: "Sequence[Instruction]", sign: Sequence[str]) -> bytes:
    """The envelope, signed out of the keystore. The body is numbered and dated by the node."""
    from stoa.custody.keystore import KeystoreError
    from stoa.kernel.codec import encode
    from stoa.wire.envelope import Envelope, Signature, transaction_id

    keystore = _keystore(common)
    keys = _keys(keystore, _names(common, sign))
    try:
        body = _built(url, instructions, keys[0].address)
        digest = transaction_id(body)
        signatures = tuple(Signature(key.account, key.public, keystore.sign(key.name, digest)) for key in keys)
    except KeystoreError as error:
        raise Usage(f"--sign: {error}") from None
    return encode(Envelope(body, signatures))


def _built(url: str, instructions: "Sequence[Instruction]", author: str) -> bytes:
    """The canonical body, numbered and dated by the node: its clock may be a story's. Raises ProblemError."""
    import httpx
    import msgspec

    from stoa.client import ProblemError
    from stoa.client.plans import Answer, problem_of
    from stoa.wire.forms import to_form

    data = {"author": author, "instructions": [to_form(one) for one in instructions]}
    answer = httpx.post(
        f"{url}/v1/build", content=msgspec.json.encode(data), headers={"content-type": "application/json"}
    )
    if answer.is_error:
        raise ProblemError(problem_of(Answer(answer.status_code, answer.content)))
    return bytes.fromhex(answer.json()["body"])


def _problem(common: Common, error: Any) -> Refused:
    problem = error.problem
    lines = [f"{problem.name}: {problem.detail}", *(_sentence(one, common.tongue) for one in problem.reasons)]
    return Refused("\n".join(dict.fromkeys(lines)), name=problem.name, status=problem.status)


def _sentence(reason: Any, language: str) -> str:
    """A reason in the reader's language, from its number and figures; as it came where its number is unknown."""
    from stoa.ledger.catalog import REJECTIONS, tag_of
    from stoa.wire.forms import BadForm, from_form

    kind = next((one for one in REJECTIONS if tag_of(one) == reason.code), None)
    if kind is None:
        return str(reason.sentence)
    try:
        return from_form(kind, {"tag": reason.code, **reason.figures}).sentence(language)
    except BadForm:
        return str(reason.sentence)
