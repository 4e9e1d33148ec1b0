"""``stoa network request``, ``grant``, ``retire``, ``dismiss`` and ``install``: files between hosts that share no
secret."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from stoa.cli.houses import passphrase
from stoa.cli.networking import HERE, Code, network, require_authority, running
from stoa.cli.shell import PLAIN, Common, Trouble, Usage

if TYPE_CHECKING:
    from stoa.network.papers import Lists

Out = Annotated[Path, Parameter(help="The file to write.")]


@network.command
def request(code: Code, file: Out, *, common: Common = PLAIN) -> None:
    """Make new keys for a member where its folder is, and write the request to the network's authority."""
    from stoa.network import ceremony
    from stoa.network.papers import write_paper

    net = running(common)
    with papers():
        member = net.plan.member(code)
        write_paper(ceremony.request(net.plan, member, net.folder / code, passphrase(common)), file)
    common.done({"file": str(file)}, f"The request is in {file}.", f"요청을 {file}에 저장했습니다.")


@network.command
def grant(
    asked: Annotated[Path, Parameter(help="A request or an application, from the institution itself.")],
    file: Out,
    *,
    peer: Annotated[str, Parameter(help="Tell a newcomer's programs of this member alone.")] = "",
    common: Common = PLAIN,
) -> None:
    """Grant a member's request, or let an applicant in, where the authority is; the file goes to every host."""
    from stoa.network import admission, ceremony
    from stoa.network.papers import Application, Request, read_paper, write_paper

    net = running(common)
    authority = require_authority(net)
    with papers():
        match paper := read_paper(asked):
            case Request():
                lists = ceremony.granted(net.plan, authority, paper, passphrase(common))
            case Application():
                lists = admission.admitted(net.plan, net.folder, paper, peer, passphrase(common))
            case _:
                raise Usage(f"{asked} is no request and no application")
        write_paper(lists, file)
    answer: dict[str, Any] = {"institution": paper.code, "file": str(file)}
    if isinstance(paper, Application):
        answer |= {"host": paper.host, "port": paper.port, "account": paper.account, "validator": paper.voting}
    common.done(answer, f"Granted to {paper.code}: {file}.", f"{paper.code}에 발급했습니다: {file}.")


@network.command
def retire(code: Code, file: Out, *, common: Common = PLAIN) -> None:
    """Shut out all certificates of a member but the newest; the file goes to every host."""
    from stoa.network import ceremony
    from stoa.network.papers import write_paper

    net = running(common)
    authority = require_authority(net)
    with papers():
        write_paper(ceremony.retired(net.plan, authority, code, passphrase(common)), file)
    common.done({"institution": code, "file": str(file)}, f"The lists are in {file}.", f"목록을 {file}에 저장했습니다.")


@network.command
def dismiss(code: Code, file: Out, *, common: Common = PLAIN) -> None:
    """Take a member that the others voted out off the plan, and shut out its certificates; the file goes to every host.

    Where a member's folder is, it is made sure that the seat is gone.
    """
    from stoa.network import admission
    from stoa.network.deciding import NotDecided, latest
    from stoa.network.papers import write_paper

    net = running(common)
    require_authority(net)
    with papers():
        try:
            seats = latest(net).members.keys
        except NotDecided:  # no member is here, so that the authority's operator must know
            seats = {}
        if code in seats:
            raise Usage(f"{code} has a seat yet: the members vote by `stoa network propose remove {code}` first")
        write_paper(admission.dismissed(net.plan, net.folder, code, passphrase(common)), file)
    en = f"{code} is off the plan; the lists are in {file}."
    common.done({"institution": code, "file": str(file)}, en, f"{code}을(를) 계획에서 뺐습니다. 목록: {file}")


@network.command
def install(
    file: Annotated[Path, Parameter(help="What the authority wrote: granted, retired or dismissed.")],
    *,
    common: Common = PLAIN,
) -> None:
    """Take what the authority wrote: lists and plan for the members here, certificates for whom they were granted to.

    An institution that applied here becomes a member's house by it.
    """
    from stoa.network import admission
    from stoa.network.papers import Lists, read_paper

    folder = common.folder or HERE
    with papers():
        paper = read_paper(file)
        if not isinstance(paper, Lists):
            raise Usage(f"{file} is neither grant nor lists")
        came = admission.waits(folder, paper)
        genesis = admission.move_in(folder, paper, passphrase(common)).hex() if came else ""
        mine = _install_others(common, folder, paper, paper.code if came else "")
    answer = {"certificates": paper.code if came or mine else ""} | ({"genesis": genesis} if came else {})
    en, ko = f"Installed {file}.", f"{file}을(를) 설치했습니다."
    if came:
        en += f" Have a member confirm the genesis block: {genesis}"
        ko += f" 다른 회원에게 제네시스 블록을 확인하십시오: {genesis}"
    common.done(answer, en, ko)


def _install_others(common: Common, folder: Path, paper: "Lists", but: str) -> bool:
    """Give lists and plan to the members here but one that has just moved in; whether one of them has certificates."""
    from stoa.network import ceremony

    net = running(common)
    here = tuple(one for one in ceremony.members_here(folder, ceremony.plan_of(paper)) if one.code != but)
    if not here:
        if not but:
            raise Usage(f"no member whom {paper.chain} has from now on is here")
        return False
    mine = paper.code in [one.code for one in here]
    ceremony.install(net.plan.chain, folder, here, paper, passphrase(common) if mine else None)
    net.reload()
    return mine


@contextmanager
def papers() -> Iterator[None]:
    """Troubles with files, in the words of what is wrong."""
    from stoa.custody.keystore import KeystoreError
    from stoa.network.growing import CannotGrow
    from stoa.network.papers import BadPaper
    from stoa.network.plan import BadFile
    from stoa.network.running import NotUp

    try:
        yield
    except BadFile as error:
        raise Usage(str(error), file=error.file, line=error.line, field=error.field) from None
    except (BadPaper, CannotGrow, KeystoreError) as error:
        raise Usage(str(error)) from None
    except LookupError as error:
        raise Usage(str(error.args[0])) from None
    except OSError as error:
        raise Usage(f"{error.filename}: {error.strerror}") from None
    except NotUp as error:
        raise Trouble(str(error)) from None
