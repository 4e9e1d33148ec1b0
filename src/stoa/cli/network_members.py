"""``stoa network add`` and ``remove``, ``propose``, ``vote`` and ``proposals``: who the members are, and what they
decide."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from stoa.cli.changes import KINDS, Kind, change_of, words_of, write_proposal
from stoa.cli.houses import passphrase
from stoa.cli.network_running import telling
from stoa.cli.network_words import worded
from stoa.cli.networking import Code, network, require_authority, running
from stoa.cli.shell import PLAIN, Common, Refused, Trouble, Usage

if TYPE_CHECKING:
    from rich.console import Console

    from stoa.network.deciding import Deciding
    from stoa.network.plan import Member

By = Annotated[str, Parameter(help="The institution that acts; it must have its folder here.")]


@network.command
def add(
    file: Annotated[Path, Parameter(help="The institution, as one [[institution]] of the network's plan.")],
    *,
    peer: Annotated[
        str, Parameter(help="Tell its programs of this member alone; through it they find the others.")
    ] = "",
    common: Common = PLAIN,
) -> None:
    """Add an institution to the running network: its folder, certificates, programs, and a seat by the members' vote.

    All members' folders and the authority are here. Whatever a crash leaves half done, the same command finishes.
    """
    from stoa.network.membership import join
    from stoa.network.plan import BadFile, read_newcomer

    net = running(common)
    require_authority(net)
    with troubles(common):
        try:
            member = read_newcomer(file, net.plan)
        except BadFile as error:
            raise Usage(str(error), file=error.file, line=error.line, field=error.field) from None
        if peer:
            net.plan.member(peer)
        house = join(net, member, peer, passphrase(common), telling(common))
    answer = {"institution": member.code, "address": house.address, "validator": house.voting.hex()}
    common.done(answer, f"{member.code} is a member and votes.", f"{member.code}이(가) 회원이 되어 투표합니다.")


@network.command
def remove(code: Code, *, common: Common = PLAIN) -> None:
    """Remove a member: its seat by the members' vote, its programs here, its certificates, its server's route.

    Its folder stays, and it stays an institution on the ledger.
    """
    from stoa.network.membership import leave

    net = running(common)
    require_authority(net)
    with troubles(common):
        leave(net, code, passphrase(common), telling(common))
    common.done({"institution": code}, f"{code} is no member any more.", f"{code}은(는) 더 이상 회원이 아닙니다.")


@network.command
def propose(
    kind: Annotated[Kind, Parameter(help=f"{KINDS}.")],
    words: Annotated[list[str], Parameter(help="What it is about; KEY is a voting key, in hex.", negative="")],
    *,
    at_height: Annotated[int, Parameter(help="The block in which it takes effect; by default one soon.")] = 0,
    hours: Annotated[int, Parameter(help="How long members may vote.")] = 24,
    reason: Annotated[str, Parameter(help="Why, for the others.")] = "",
    by: By = "",
    form: Annotated[
        bool, Parameter(negative="", help="Write the instruction instead, for stoa explain and stoa submit.")
    ] = False,
    common: Common = PLAIN,
) -> None:
    """Propose a change to the members, as one of them, and thereby vote for it.

    With `--form`, `--by` and `--at-height` nothing is sent and no network is needed: a ledger of one has none.
    """
    change, reason = change_of(kind, words), reason or " ".join((kind, *words))
    if form:
        write_proposal(by, change, at_height, hours, reason)
        return
    with _deciding(common) as deciding:
        member = _voters(deciding, by)[0]
        number = deciding.propose(member, change, at_height, hours, reason)
        ballot = deciding.chamber(number).ballots.get(number)
    height = ballot.height if ballot else 0
    answer = {"proposal": number, "proposer": member.code, "change": change, "height": height}
    en = f"Proposal {number}, for block {height}. The others, before that block: stoa network vote {number}"
    ko = f"{number}번 안건을 제출했습니다(블록 {height}에 효력). 다른 회원은 그 전에: stoa network vote {number}"
    common.done(answer, en, ko)


@network.command
def vote(
    number: Annotated[int, Parameter(help="The proposal's number.")],
    *,
    no: Annotated[bool, Parameter(negative="", help="Vote against it.")] = False,
    by: By = "",
    common: Common = PLAIN,
) -> None:
    """Vote on a proposal, as every member that has its folder here or as one of them. A vote is never taken back.

    Where one of them cannot, the others do all the same; what the ledger refuses one, it is not asked for the next.
    """
    from stoa.custody.keystore import KeystoreError
    from stoa.network.deciding import AgainstRule, NotDecided

    cast, failed, wrong = dict[str, str](), dict[str, str](), Trouble
    with _deciding(common) as deciding:
        for member in _voters(deciding, by):
            try:
                cast[member.code] = deciding.cast(member, number, not no)
            except AgainstRule as error:
                failed[member.code], wrong = error.sentence(common.tongue), Refused
                break
            except (NotDecided, KeystoreError) as error:
                failed[member.code] = str(error)
    shown = ", ".join(f"{code}: {worded(what, common.tongue)}" for code, what in cast.items())
    if failed:
        raise wrong("\n".join([*failed.values(), *([shown] if shown else [])]), proposal=number, votes=cast)
    common.done({"proposal": number, "votes": cast}, shown, shown)


@network.command
def proposals(*, common: Common = PLAIN) -> None:
    """Show the seats and the open proposals, with who has voted how."""
    from stoa.kernel.time import iso
    from stoa.network.deciding import latest

    net = running(common)
    with troubles(common):
        found = latest(net)
    answer = {
        "height": found.height, "quorum": found.members.quorum,
        "seats": {name: key.hex() for name, key in found.members.keys.items()},
        "proposals": [one._asdict() for one in found.ballots.values()],
    }  # fmt: skip

    def show(out: "Console") -> None:
        seats, quorum, height = len(found.members.keys), found.members.quorum, found.height
        en = f"Block {height}. {quorum} of {seats} seats decide: "
        head = common.words(en, f"블록 {height}. 의석 {seats}개 중 {quorum}개로 의결: ")
        out.print(head + ", ".join(found.members.keys), highlight=False, soft_wrap=True)
        for one in found.ballots.values():
            votes = ", ".join(f"{name} {'+' if yes else '-'}" for name, yes in one.votes.items())
            what, until = words_of(one.change), iso(one.expires)
            en = f"{one.number}: {what}; for block {one.height}, by {one.proposer}, open until {until} [{votes}]"
            ko = f"{one.number}: {what}; 블록 {one.height}에 효력, 제안 {one.proposer}, 투표 기한 {until} [{votes}]"
            out.print(common.words(en, ko), highlight=False, markup=False, soft_wrap=True)

    common.answer(answer, show)


def _voters(deciding: "Deciding", by: str) -> "tuple[Member, ...]":
    found = tuple(one for one in deciding.voters() if by in ("", one.code))
    if not found:
        raise Usage(f"--by: {by} has no seat, or its validator does not run here")
    return found


@contextmanager
def _deciding(common: Common) -> "Iterator[Deciding]":
    from stoa.network.deciding import Deciding

    net = running(common)
    with troubles(common):
        yield Deciding(net, passphrase(common))


@contextmanager
def troubles(common: Common = PLAIN) -> Iterator[None]:
    """What members cannot do or did not decide, in the words of what is wrong."""
    from stoa.custody.keystore import KeystoreError
    from stoa.network.deciding import AgainstRule, NotDecided
    from stoa.network.growing import CannotGrow
    from stoa.network.hosts import NoHosts
    from stoa.network.programs import NoProgram
    from stoa.network.running import NotUp
    from stoa.wire.forms import BadForm

    try:
        yield
    except (CannotGrow, KeystoreError, NoHosts, BadForm) as error:
        raise Usage(str(error)) from None
    except LookupError as error:
        raise Usage(str(error.args[0])) from None
    except AgainstRule as error:
        raise Refused(error.sentence(common.tongue)) from None
    except (NotDecided, NotUp, NoProgram) as error:
        raise Trouble(str(error)) from None
