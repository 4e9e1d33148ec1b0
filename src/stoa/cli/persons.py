"""``stoa persons``: what the institution keeps in its vault about a party, shown, or destroyed for good.

The vault is held by one process: a running node must be stopped first. Nothing here touches the ledger, which knows a
person by his party number alone.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from stoa.cli.houses import config_of, folder_of, passphrase
from stoa.cli.shell import PLAIN, Common, Trouble, Usage, app

if TYPE_CHECKING:
    from stoa.custody.person import Person
    from stoa.custody.vault import Vault

persons = App(name="persons", help="Personal data in the vault: show what is kept of a party, erase it.")
app.command(persons)
Party = Annotated[int, Parameter(help="The party number, as the ledger has it.")]


@contextmanager
def _vault(common: Common) -> "Iterator[Vault]":
    """The vault under the master key that the keystore gives. Raises Usage, Trouble."""
    from stoa.custody.durable import Busy
    from stoa.custody.keyring import WrongMasterKey
    from stoa.custody.keystore import Keystore, KeystoreError
    from stoa.custody.sealing import Tampered
    from stoa.custody.vault import MASTER_PURPOSE, Vault

    folder, config = folder_of(common), config_of(common)
    try:
        master = Keystore(folder / config.keystore, passphrase(common)).derived(config.vault_key, MASTER_PURPOSE)
        vault = Vault(folder / "vault", master)
    except (KeystoreError, WrongMasterKey) as error:
        raise Usage(str(error)) from None
    except Busy:
        raise Trouble(
            common.words("The vault is in use. Stop the node first.", "금고를 사용 중입니다. 먼저 노드를 종료하십시오.")
        ) from None
    try:
        yield vault
    except Tampered as error:
        raise Trouble(str(error)) from None
    finally:
        vault.close()


def _nobody(common: Common, vault: "Vault", party: int) -> Usage:
    """Why there is nothing of this party: there never was, or there is none any more."""
    from stoa.kernel.time import iso

    erased = vault.erased().get(party)
    if erased is None:
        return Usage(common.words(f"Nothing is kept of party {party}.", f"당사자 {party}의 기록이 없습니다."))
    en, ko = f"Party {party} was erased at {iso(erased)}.", f"당사자 {party}의 기록은 {iso(erased)}에 파기되었습니다."
    return Usage(common.words(en, ko), party=party, erased=erased)


@persons.command
def show(party: Party, *, common: Common = PLAIN) -> None:
    """Show what the vault keeps of a party; of documents that were copied, how many bytes."""
    with _vault(common) as vault:
        person = vault.get(party)
        if person is None:
            raise _nobody(common, vault, party)
    common.fields({"party": party, **_fields(person)}, common.words("Personal data", "개인정보"))


def _fields(person: "Person") -> dict[str, Any]:
    from msgspec.structs import asdict

    papers = [{**asdict(one), "content": len(one.content)} for one in person.documents]
    return {**asdict(person), "contacts": [asdict(one) for one in person.contacts], "documents": papers}


@persons.command
def erase(
    party: Party,
    *,
    yes: Annotated[bool, Parameter(help="Do not ask again.", negative="")] = False,
    common: Common = PLAIN,
) -> None:
    """Destroy what the vault keeps of a party: his data key, then the record. Nothing brings it back."""
    from stoa.node.node import wall_clock

    with _vault(common) as vault:
        if party not in vault.parties():
            raise _nobody(common, vault, party)
        if not yes:
            _confirm(common, party)
        now = wall_clock()
        vault.erase(party, now)
    common.done(
        {"party": party, "erased": now, "destroyed": ["data key", "record"]},
        f"Party {party}: the data key and the sealed record are destroyed, and copies of the record cannot be read any "
        "more. The ledger keeps the number; users of this party keep their logins.",
        f"당사자 {party}: 데이터 키와 봉인된 기록을 파기했으며, 기록의 사본도 읽을 수 없습니다. "
        "원장에는 번호만 남고, 이 당사자의 로그인 사용자는 남아 있습니다.",
    )


def _confirm(common: Common, party: int) -> None:
    """Have the number typed once more. Raises Usage."""
    if not sys.stdin.isatty():
        raise Usage(
            common.words("Erasing cannot be undone: say --yes.", "파기는 되돌릴 수 없습니다. --yes를 붙이십시오.")
        )
    asked = "This cannot be undone. Type the party number: ", "되돌릴 수 없습니다. 당사자 번호를 입력하십시오: "
    sys.stderr.write(common.words(*asked))
    sys.stderr.flush()
    if sys.stdin.readline().strip() != str(party):
        raise Usage(common.words("Nothing was erased.", "아무것도 파기하지 않았습니다."))
