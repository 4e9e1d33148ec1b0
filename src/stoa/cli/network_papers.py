"""``stoa network request``, ``grant``, ``retire`` and ``install``: renewal between hosts that share no secret."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stoa.cli.houses import passphrase
from stoa.cli.networking import Code, network, require_authority, running
from stoa.cli.shell import PLAIN, Common, Trouble, Usage

Out = Annotated[Path, Parameter(help="The file to write.")]


@network.command
def request(code: Code, file: Out, *, common: Common = PLAIN) -> None:
    """Make new keys for a member where its folder is, and write the request to the network's authority."""
    from stoa.network import ceremony

    net = running(common)
    with _papers():
        member = net.plan.member(code)
        ceremony.write_paper(ceremony.request(net.plan, member, net.folder / code, passphrase(common)), file)
    common.done({"file": str(file)}, f"The request is in {file}.", f"요청을 {file}에 저장했습니다.")


@network.command
def grant(
    asked: Annotated[Path, Parameter(help="A member's request, from the member itself.")],
    file: Out,
    *,
    common: Common = PLAIN,
) -> None:
    """Grant a member's request where the authority is; the file goes to every host."""
    from stoa.network import ceremony

    net = running(common)
    authority = require_authority(net)
    with _papers():
        paper = ceremony.read_paper(asked)
        if not isinstance(paper, ceremony.Request):
            raise Usage(f"{asked} is no request")
        ceremony.write_paper(ceremony.granted(net.plan, authority, paper, passphrase(common)), file)
    answer = {"institution": paper.code, "file": str(file)}
    common.done(answer, f"Granted to {paper.code}: {file}.", f"{paper.code}에 발급했습니다: {file}.")


@network.command
def retire(code: Code, file: Out, *, common: Common = PLAIN) -> None:
    """Shut out all certificates of a member but the newest; the file goes to every host."""
    from stoa.network import ceremony

    net = running(common)
    authority = require_authority(net)
    with _papers():
        ceremony.write_paper(ceremony.retired(net.plan, authority, code), file)
    common.done({"institution": code, "file": str(file)}, f"The lists are in {file}.", f"목록을 {file}에 저장했습니다.")


@network.command
def install(
    file: Annotated[Path, Parameter(help="What the authority granted or retired.")], *, common: Common = PLAIN
) -> None:
    """Take what the authority wrote: lists for the servers here, and certificates for whom they were granted to."""
    from stoa.network import ceremony

    net = running(common)
    with _papers():
        paper = ceremony.read_paper(file)
        if not isinstance(paper, ceremony.Lists):
            raise Usage(f"{file} is neither grant nor lists")
        mine = paper.code in [one.code for one in net.here]
        ceremony.install(net.plan, net.folder, net.here, paper, passphrase(common) if mine else None)
        net.reload()
    en = f"Installed {file}."
    common.done({"certificates": paper.code if mine else ""}, en, f"{file}을(를) 설치했습니다.")


@contextmanager
def _papers() -> Iterator[None]:
    from stoa.custody.keystore import KeystoreError
    from stoa.network.ceremony import BadPaper
    from stoa.network.running import NotUp

    try:
        yield
    except (BadPaper, KeystoreError) as error:
        raise Usage(str(error)) from None
    except LookupError as error:
        raise Usage(str(error.args[0])) from None
    except OSError as error:
        raise Usage(f"{error.filename}: {error.strerror}") from None
    except NotUp as error:
        raise Trouble(str(error)) from None
