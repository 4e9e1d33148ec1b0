"""Who becomes a member on a host of its own, and who is one no more: the authority's part, and the newcomer's.

The authority answers an application with lists that go to every host: to the newcomer they bring what makes its house
whole, to the others its place on the plan and its certificates on the lists. Every step may be repeated. Does not own:
the seat, which the members vote on (``deciding``), nor programs (``running``).
"""

import shutil
from pathlib import Path

from stoa.custody import durable
from stoa.custody.secret import Secret
from stoa.journal import Journal
from stoa.kernel.codec import Malformed
from stoa.ledger.catalog import Genesis, read_genesis
from stoa.network import folders
from stoa.network.applying import kept_application, require_fit
from stoa.network.ceremony import Office, plan_of, put_lists, take
from stoa.network.founding import furnish, member_word, told_of
from stoa.network.growing import UNFINISHED, require_genesis, with_member, without_member
from stoa.network.papers import Application, BadPaper, Lists, Welcome, read_paper, require_sealed, write_paper
from stoa.network.plan import Plan, write_plan
from stoa.node.found import found
from stoa.node.node import JOURNAL_FOLDER


def admitted(plan: Plan, folder: Path, asked: Application, peer: str, passphrase: Secret) -> Lists:
    """Let an applicant in: its certificates, and a plan with it in the network's folder. ``peer``: whom it is told of.

    Raises BadPaper, BadFile, CannotGrow, LookupError and KeystoreError, and has changed nothing then.
    """
    genesis = require_genesis(plan, folder)
    member = require_fit(asked, plan, read_genesis(genesis), _earlier(folder))
    if peer:
        plan.member(peer)
    grown = with_member(plan, member)
    office = Office(folder / folders.AUTHORITY, passphrase)
    made = office.certified(grown, member, asked)
    durable.private_directory(folder / folders.APPLICATIONS)
    write_paper(asked, folder / folders.APPLICATIONS / f"{asked.code}.json")
    write_plan(grown, folder / folders.PLAN)
    return office.lists(grown, made, Welcome(asked, genesis, peer))


def _earlier(folder: Path) -> list[Application]:
    """The applications that were granted."""
    papers = (read_paper(path) for path in sorted((folder / folders.APPLICATIONS).glob("*.json")))
    return [one for one in papers if isinstance(one, Application)]


def dismissed(plan: Plan, folder: Path, code: str, passphrase: Secret) -> Lists:
    """Take a member, that has no seat any more, off the plan in the network's folder and off the lists.

    Raises LookupError, CannotGrow and KeystoreError.
    """
    office = Office(folder / folders.AUTHORITY, passphrase)
    gone = code not in plan.codes and office.register.next_number(code) > 1
    left = plan if gone else without_member(plan, code)
    office.register.shut_out(code, "revoked", office.register.next_number(code))
    write_plan(left, folder / folders.PLAN)
    return office.lists(left)


def waits(folder: Path, lists: Lists) -> bool:
    """Whether these lists let in an institution whose house is here and waits for them."""
    return lists.welcome is not None and kept_application(folder / lists.code) is not None


def move_in(folder: Path, lists: Lists, passphrase: Secret) -> bytes:
    """Make the newcomer's house whole: genesis, certificates, lists, settings, and the plan at last. One that was a
    member before keeps its ledger, and trusts the authority that it knows. Returns the hash of the genesis block: that
    this is the others', the newcomer asks them by another way, since everything it believes later rests on it.

    Raises BadPaper, BadFile and KeystoreError, and has changed nothing then.
    """
    inner, welcome = folder / lists.code, lists.welcome
    assert welcome is not None, "asked of `waits`"
    known = inner / folders.CA
    require_sealed(lists, known.read_bytes() if known.is_file() else lists.ca.encode())
    if welcome.asked != kept_application(inner):
        raise BadPaper("the grant answers another application than the one that was made here last")
    plan, genesis = plan_of(lists), _genesis(lists, welcome)
    member = plan.member(lists.code)
    take(inner, lists, member_word(plan, member, inner, passphrase))
    if not (inner / JOURNAL_FOLDER).is_dir():
        fresh = inner / UNFINISHED
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        found(fresh, genesis)
        (fresh / JOURNAL_FOLDER).rename(inner / JOURNAL_FOLDER)
        fresh.rmdir()
    furnish(told_of(plan, member, welcome.peer), member, inner)
    durable.write(known, lists.ca.encode())
    put_lists(inner, lists)
    write_plan(plan, inner / folders.PLAN)
    (inner / folders.APPLICATION).unlink()
    with Journal.open(inner / JOURNAL_FOLDER, readonly=True) as journal:
        return journal.header(0).hash()


def _genesis(lists: Lists, welcome: Welcome) -> Genesis:
    try:
        genesis = read_genesis(welcome.genesis)
    except Malformed as error:
        raise BadPaper(f"the genesis in the lists is none: {error}") from None
    if genesis.chain != lists.chain:
        raise BadPaper(f"these are lists of the network {lists.chain} with the genesis of {genesis.chain}")
    return genesis
