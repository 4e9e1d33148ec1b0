"""An institution on a host of its own asks to be let in: it makes its keys, and an application that names them.

Its house is there from then on, without ledger, certificates or plan, which come with the answer (``admission``). The
same application is made again by the same command. Here is also what speaks against an application, as far as the
authority can know: the plan, the genesis, and earlier applications; the ledger has the last word, when members vote.
Does not own: who answers for the applicant.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from stoa.api.opening import validator_of
from stoa.custody.keystore import Keystore
from stoa.custody.secret import Secret
from stoa.kernel import signing
from stoa.kernel.hashing import tagged
from stoa.ledger.catalog import Genesis
from stoa.network import ceremony, folders
from stoa.network.founding import config_of, house_of, make_house
from stoa.network.growing import made_whole
from stoa.network.papers import Application, BadPaper, Request, read_paper, write_paper
from stoa.network.plan import Member, Plan, Table, member_elsewhere, read_plan, require_free

TAG: Final = "stoa.network.application"


def apply_for(chain: str, member: Member, folder: Path, passphrase: Secret, policy: str, now: int) -> Application:
    """The member's application to the network of this name; its house is made if it is not there.

    Raises BadPaper, BadFile, KeystoreError.
    """
    alone = Plan(chain, "majority", 1, False, {}, (member,))  # all that it knows; its true plan comes with the answer
    inner = folder / member.code
    if not inner.is_dir():
        with made_whole(inner) as fresh:
            make_house(fresh, alone, member, passphrase, policy, now)
    elif (path := inner / folders.PLAN).is_file() and (known := read_plan(path, founding=False).chain) != chain:
        raise BadPaper(f"{inner} is a house of the network {known}, not {chain}")
    kept = kept_application(inner)
    if kept is not None and kept.chain == chain and member_elsewhere(_table(kept)) == member:
        return kept
    made = _signed(ceremony.request(alone, member, inner, passphrase), alone, member, inner, passphrase)
    write_paper(made, inner / folders.APPLICATION)
    return made


def kept_application(inner: Path) -> Application | None:
    """The application that was made in a house and has not been answered yet."""
    path = inner / folders.APPLICATION
    paper = read_paper(path) if path.is_file() else None
    return paper if isinstance(paper, Application) else None


def _signed(asked: Request, alone: Plan, member: Member, inner: Path, passphrase: Secret) -> Application:
    config = config_of(alone, member)
    keystore, house = Keystore(inner / config.keystore, passphrase), house_of(inner, member.code, passphrase)
    one = member.institution
    made = Application(
        asked.chain, asked.code, one.name, one.country, one.roles, member.host, member.port,
        account=house.public.hex(), voting=house.voting.hex(), server=asked.server, client=asked.client,
    )  # fmt: skip
    digest = _digest(made)
    return msgspec.structs.replace(
        made,
        account_signature=keystore.sign(member.code, digest).hex(),
        voting_signature=signing.sign(validator_of(config, keystore).secret, digest).hex(),
    )


def _digest(asked: Application) -> bytes:
    bare = msgspec.structs.replace(asked, account_signature="", voting_signature="")
    return tagged(TAG, msgspec.json.encode(bare))


def require_fit(asked: Application, plan: Plan, genesis: Genesis, earlier: list[Application]) -> Member:
    """The member that an application is about, if nothing speaks against it. Raises BadPaper and BadFile.

    The same application may be granted again.
    """
    if asked.chain != plan.chain:
        raise BadPaper(f"this is an application to the network {asked.chain}, not {plan.chain}")
    if plan.hosts:
        raise BadPaper("members of this network live in network namespaces of one machine: use `stoa network add`")
    table = _table(asked)
    member = member_elsewhere(table)
    if member.code in plan.codes:
        if member not in plan.members or asked not in earlier:
            raise table.bad("code", "the code is taken by another member", repr(member.code))
    else:
        require_free(table, plan, member)
    _require_keys(asked, table, dict(_used(asked.code, genesis, earlier)))
    return member


def _table(asked: Application) -> Table:
    """The institution and its place, as a file would say them."""
    names = ("code", "name", "country", "roles", "host", "port")
    fields = {name: list(value) if isinstance(value := getattr(asked, name), tuple) else value for name in names}
    return Table("application", fields, lambda _: 0)


def _require_keys(asked: Application, table: Table, used: dict[str, str]) -> None:
    """Both keys are points of the curve, nobody else's, not the same, and their owner has signed the application."""
    digest = _digest(asked)
    for field, key, signature in (
        ("account", asked.account, asked.account_signature), ("voting", asked.voting, asked.voting_signature),
    ):  # fmt: skip
        if not signing.is_public_key(bytes.fromhex(key)):
            raise table.bad(field, "a key is a point of secp256k1 in compressed form", key)
        if not signing.verify(bytes.fromhex(key), digest, bytes.fromhex(signature)):
            raise table.bad(field, "its owner did not sign this application: the file was altered", key)
        if other := used.get(key):
            raise table.bad(field, f"the key is {other}'s already", key)
    if asked.account == asked.voting:
        raise table.bad("voting", "the voting key is another one than the account's", asked.voting)


def _used(code: str, genesis: Genesis, earlier: list[Application]) -> Iterator[tuple[str, str]]:
    """Whose keys are known, but for those of this code."""
    for founder in genesis.founders:
        for key in (*founder.keys, founder.validator):
            if key and founder.institution != code:
                yield key.hex(), founder.institution
    for one in earlier:
        if one.code != code:
            yield one.account, one.code
            yield one.voting, one.code
