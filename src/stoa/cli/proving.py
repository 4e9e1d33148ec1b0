"""``stoa verify``, ``stoa prove`` and ``stoa snapshot``: the record checked, and shown to who trusts nobody."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import App, Parameter

from stoa.cli.houses import config_of, folder_of, is_running, journal_of, opened, operating, passphrase, reading
from stoa.cli.query import account_of, digest_of
from stoa.cli.shell import PLAIN, Common, Refused, Trouble, Usage, app, console, plain

if TYPE_CHECKING:
    from rich.console import Console

    from stoa.client.views import Keys
    from stoa.node.finality import Finality
    from stoa.node.verify import Verified

prove = App(name="prove", help="Make proof files of receipts and holdings, and check them without a ledger.")
app.command(prove)
LOOK_SECONDS: Final = 0.2  # between two looks at a snapshot that is being taken
Out = Annotated[Path, Parameter(help="The file to write.")]


@app.command
def verify(
    *,
    state: Annotated[bool, Parameter(help="Compare the state store as well.")] = True,
    common: Common = PLAIN,
) -> None:
    """Prove the journal from genesis: every byte, hash, signature and result; locate what is wrong."""
    from stoa.node.node import JOURNAL_FOLDER, STATE_FOLDER

    folder = folder_of(common)
    kept = folder / STATE_FOLDER
    found = checked(folder / JOURNAL_FOLDER, kept if state and kept.is_dir() else None, common)
    common.fields(_fields(found), common.words("No flaw", "흠 없음"))


def checked(journal: Path, kept: Path | None, common: Common) -> "Verified":
    """What a verification found of a journal, and of the state store beside it, that have no flaw. Raises Trouble."""
    from stoa.node.verify import verify as check

    with _progress(common) as told:
        try:
            found = check(journal, kept, told)
        except Exception as error:  # noqa: BLE001 - damage that stops the check is what was asked for
            raise Trouble(f"{type(error).__name__}: {error}", flaws=[str(error)]) from None
    if found.flaws:
        raise Trouble("\n".join(found.flaws), **_fields(found))
    return found


def _fields(found: "Verified") -> dict[str, Any]:
    return {name: plain(value) for name, value in found._asdict().items()}


class _progress:  # noqa: N801 - used as a word, like open()
    """A progress bar on standard error while blocks are executed again; none in JSON."""

    def __init__(self, common: Common) -> None:
        from rich.progress import Progress

        words = common.words("blocks", "블록")
        self._bar = Progress(console=console(stderr=True), transient=True, disable=common.json)
        self._task = self._bar.add_task(words, total=None)

    def __enter__(self) -> Any:
        self._bar.start()
        return lambda done, whole: self._bar.update(self._task, completed=done, total=whole)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


@prove.command
def receipt(id: str, file: Out, *, common: Common = PLAIN) -> None:
    """Write the proof of a transaction's receipt: its path to the block, and the block's certificate."""
    from stoa.node.proofs import NothingToProve, receipt_proof
    from stoa.readmodel.queries.explorer import receipt as ask

    with reading(common) as (db, _), journal_of(common) as journal:
        found = ask(db, digest_of(id))
        if found is None:
            raise Usage(common.words(f"There is no final transaction {id}.", f"확정된 거래 {id}이(가) 없습니다."))
        try:
            _write(common, file, receipt_proof(journal, found.height, found.index))
        except NothingToProve as error:
            raise Usage(str(error)) from None


@prove.command
def holding(asset: str, account: str, file: Out, *, common: Common = PLAIN) -> None:
    """Write the proof of a line of the register: its path to a root over the whole state, signed by this validator."""
    from stoa.node.node import STATE_FOLDER
    from stoa.node.proofs import NothingToProve, holding_proof
    from stoa.node.state_store import StateStore

    finality, chain = _finality(common)
    store = StateStore(folder_of(common) / STATE_FOLDER)
    try:
        _write(common, file, holding_proof(chain, store, finality, asset, account_of(account)))
    except NothingToProve as error:
        raise Usage(str(error)) from None
    finally:
        store.close()


@prove.command
def keys(file: Out, *, common: Common = PLAIN) -> None:
    """Write the validators' public keys, which proofs are checked against."""
    import msgspec

    from stoa.client.views import Keys
    from stoa.node.offline import validators_of
    from stoa.node.state_store import Unusable

    try:
        chain, members = validators_of(folder_of(common))
    except Unusable as error:
        raise Trouble(f"{error}. Run: stoa rebuild-state") from None
    known = Keys(chain, members.quorum, {name: key.hex() for name, key in members.keys.items()})
    file.write_bytes(msgspec.json.format(msgspec.json.encode(known)) + b"\n")
    common.done({"file": str(file)}, f"The public keys are in {file}.", f"공개키를 {file}에 저장했습니다.")


@prove.command
def check(
    file: Annotated[Path, Parameter(help="A proof file.")],
    *,
    keys: Annotated[Path, Parameter(help="The file of public keys, from a source that you trust.")],
    common: Common = PLAIN,
) -> None:
    """Check a proof with the public keys alone, and say what it shows. Needs no ledger and no network."""
    from stoa.api.facts import receipt_form
    from stoa.client import check_proof
    from stoa.kernel.codec import Malformed
    from stoa.ledger.catalog import Receipt
    from stoa.wire.forms import to_form
    from stoa.wire.proof import BadProof

    known, public = _public_keys(keys)
    try:
        found = check_proof(_bytes_of(file), public, known.quorum)
        shows = receipt_form(found) if isinstance(found, Receipt) else to_form(found)
    except Malformed as error:
        raise Usage(
            f"{file} is no proof file, as stoa prove receipt and stoa prove holding write them ({error})"
        ) from None
    except BadProof as error:
        raise Refused(
            common.words(f"It does not hold: {error}.", f"증명이 성립하지 않습니다: {error}."), holds=False
        ) from None
    answer = {"holds": True, "chain": known.chain, "shows": shows}

    def show(out: "Console") -> None:
        out.print(common.words("It holds. It shows:", "증명이 성립합니다. 내용:"))
        out.print_json(data=shows)

    common.answer(answer, show)


def _public_keys(file: Path) -> "tuple[Keys, dict[str, bytes]]":
    """What a file of public keys says. Raises Usage."""
    import msgspec

    from stoa.client.views import Keys

    try:
        known = msgspec.json.decode(_bytes_of(file), type=Keys)
        return known, known.public()
    except (msgspec.DecodeError, ValueError) as error:
        raise Usage(f"{file} is no file of public keys, as stoa prove keys writes it ({error})") from None


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Usage(f"{error.filename}: {error.strerror}") from None


@app.command
def snapshot(*, common: Common = PLAIN) -> None:
    """Write all rows of the state to a file beside the journal, from which a lost state is restored faster.

    A running node is asked to do it, and goes on.
    """
    if is_running(common):
        path = _taken(common)
    else:
        with opened(common) as house:
            path = house.services.node.snapshot()
    answer = {"file": str(path), "bytes": path.stat().st_size}
    common.done(answer, f"The snapshot is in {path}.", f"스냅샷을 {path}에 저장했습니다.")


def _taken(common: Common) -> Path:
    """Where the running node has put a snapshot that it was asked for. Raises Trouble."""
    import time

    from stoa.client import ClientError

    try:
        with operating(common) as client:
            now = client.take_snapshot()
            while now.state == "running":
                time.sleep(LOOK_SECONDS)
                now = client.snapshot_state()
    except ClientError as error:
        raise Trouble(str(error)) from None
    if now.state != "taken":
        raise Trouble(now.why or f"the node says: {now.state}")
    return Path(now.file)


def _write(common: Common, file: Path, proof: Any) -> None:
    from stoa.kernel.codec import encode

    raw = encode(proof)
    file.write_bytes(raw)
    answer = {"file": str(file), "bytes": len(raw)}
    common.done(
        answer, f"The proof is in {file} ({len(raw)} bytes).", f"증명을 {file}에 저장했습니다({len(raw)}바이트)."
    )


def _finality(common: Common) -> "tuple[Finality, str]":
    """This validator's hand for signing checkpoints, and the ledger's name."""
    from stoa.api.opening import validator_of
    from stoa.custody.keystore import Keystore, KeystoreError
    from stoa.node.finality import Finality

    config = config_of(common)
    try:
        validator = validator_of(config, Keystore(folder_of(common) / config.keystore, passphrase(common)))
    except KeystoreError as error:
        raise Usage(str(error)) from None
    with journal_of(common) as journal:
        return Finality(journal.chain, validator), journal.chain
