"""``stoa network apply``, ``register`` and ``keys``: an institution on a host of its own asks to be let in, and is
known by its keys."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stoa.cli.houses import passphrase
from stoa.cli.network_members import troubles
from stoa.cli.network_papers import Out, papers
from stoa.cli.networking import HERE, network, running
from stoa.cli.shell import PLAIN, Common, Usage


@network.command
def apply(
    file: Annotated[
        Path, Parameter(help="The institution as one [[institution]], with the host and port it will have.")
    ],
    out: Out,
    *,
    chain: Annotated[str, Parameter(help="The network's name.")],
    common: Common = PLAIN,
) -> None:
    """Apply to a network from a host of one's own: a folder with new keys here, and the application to the authority.

    The application holds no secret. Given again, the command writes the same one.
    """
    from stoa.custody.policy import STARTER
    from stoa.network.applying import apply_for
    from stoa.network.papers import write_paper
    from stoa.network.plan import read_applicant
    from stoa.node.node import wall_clock

    with papers():
        member = read_applicant(file)
        made = apply_for(chain, member, common.folder or HERE, passphrase(common), STARTER, wall_clock())
        write_paper(made, out)
    answer = {"institution": made.code, "file": str(out), "account": made.account, "validator": made.voting}
    common.done(answer, f"The application is in {out}.", f"가입 신청서를 {out}에 저장했습니다.")


@network.command
def register(
    file: Annotated[Path, Parameter(help="What the authority granted to an applicant.")], *, common: Common = PLAIN
) -> None:
    """Enter an applicant on the ledger as an institution, as the registrar whose folder is here."""
    from stoa.demo.dossier import Institution
    from stoa.network import folders
    from stoa.network.deciding import Deciding
    from stoa.network.membership import enrol
    from stoa.network.papers import Lists, read_paper, require_sealed

    net = running(common)
    with papers(), troubles():
        paper = read_paper(file)
        if not isinstance(paper, Lists) or paper.welcome is None:
            raise Usage(f"{file} is no grant to an applicant")
        for member in net.here:
            require_sealed(paper, (net.folder / member.code / folders.CA).read_bytes())
        asked = paper.welcome.asked
        one = Institution(asked.code, asked.name, asked.country, asked.roles)
        new = enrol(Deciding(net, passphrase(common)), one, bytes.fromhex(asked.account))
    en = f"{one.code} is an institution. Next: stoa network propose admit {one.code} {asked.voting}"
    ko = f"{one.code}을(를) 기관으로 등록했습니다. 다음: stoa network propose admit {one.code} {asked.voting}"
    common.done({"institution": one.code, "new": new, "validator": asked.voting}, en, ko)


@network.command
def keys(*, common: Common = PLAIN) -> None:
    """Show what the institutions here show of their keys: operating account and voting key."""
    from stoa.network.founding import house_of
    from stoa.node.config import FILE

    folder = common.folder or HERE
    codes = [path.parent.name for path in sorted(folder.glob(f"*/{FILE}"))]
    if not codes:
        raise Usage(f"no institution has its folder in {folder}")
    with papers():
        word = passphrase(common)
        found = {code: house_of(folder / code, code, word) for code in codes}
    rows = [
        {"institution": code, "address": one.address, "account": one.public.hex(), "validator": one.voting.hex()}
        for code, one in found.items()
    ]
    common.rows("keys", rows)
