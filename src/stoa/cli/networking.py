"""``stoa network``: a network of institutions on this machine, or the files for one of many machines."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import App, Parameter

from stoa.cli.houses import passphrase, require_new
from stoa.cli.shell import PLAIN, Common, Trouble, Usage, app

if TYPE_CHECKING:
    from stoa.network.running import Running, Told

network = App(name="network", help="A network of institutions: found it, run it, look at it, and let parts of it fail.")
app.command(network)
Code = Annotated[str, Parameter(help="The institution's code.")]
HERE: Final = Path("network")  # the folder where --folder and STOA_FOLDER are not given


@network.command
def init(
    *,
    institutions: Annotated[Path, Parameter(help="The members, as in examples/koscom-five.toml.")],
    hosts: Annotated[
        bool, Parameter(negative="", help="Give each member a network namespace of its own, as if it were a host.")
    ] = False,
    common: Common = PLAIN,
) -> None:
    """Make a network in a new folder: keys, genesis, certificates and settings, a folder for each institution."""
    from stoa.custody.keystore import KeystoreError
    from stoa.custody.policy import STARTER
    from stoa.kernel.codec import Malformed
    from stoa.network.founding import found_network
    from stoa.network.plan import BadFile, on_hosts, read_plan
    from stoa.node.node import wall_clock
    from stoa.wire.forms import BadForm

    folder = common.folder or HERE
    require_new(folder, common)
    try:
        plan = read_plan(institutions)
        plan = on_hosts(plan) if hosts else plan
        made = found_network(plan, folder, passphrase(common, new=True), STARTER, wall_clock())
    except BadFile as error:
        raise Usage(str(error), file=error.file, line=error.line, field=error.field) from None
    except (KeystoreError, Malformed, BadForm) as error:
        raise Usage(str(error)) from None
    answer = {
        "folder": str(folder), "chain": plan.chain, "quorum": plan.quorum, "genesis": made.genesis.hex(),
        "institutions": made.addresses,
    }  # fmt: skip
    en = f"The network {plan.chain} of {len(plan.members)} is in {folder}. Run it: stoa network up --folder {folder}"
    ko = (
        f"{len(plan.members)}개 기관의 네트워크 {plan.chain}을(를) {folder}에 만들었습니다. "
        f"실행: stoa network up --folder {folder}"
    )
    common.done(answer, en, ko)


def running(common: Common, told: "Told | None" = None) -> "Running":
    """The network in the folder. Raises Usage when there is none."""
    from stoa.network.plan import BadFile
    from stoa.network.running import NoNetwork, Running

    folder = common.folder or HERE
    try:
        return Running(folder, told) if told else Running(folder)
    except NoNetwork:
        raise Usage(
            common.words(
                f"There is no network in {folder}. Make one with: stoa network init --institutions FILE",
                f"{folder}에 네트워크가 없습니다. stoa network init --institutions FILE 로 만드십시오.",
            )
        ) from None
    except BadFile as error:
        raise Usage(str(error), file=error.file, line=error.line, field=error.field) from None


@network.command
def rotate(code: Code, *, common: Common = PLAIN) -> None:
    """Give a member new certificates under its identity's next number, and shut out the old, without stopping."""
    from stoa.network.renewal import rotate as renew

    net = running(common)
    with _renewing(net):
        if net.plan.member(code) not in net.here:
            raise Usage(f"{code} is not here: it asks by `stoa network request`")
        number = renew(net.plan, net.folder, code, passphrase(common), net.reload)
    answer = {"institution": code, "number": number}
    common.done(
        answer,
        f"{code} has certificate {number}; older ones are refused.",
        f"{code}의 인증서를 {number}번으로 바꿨습니다.",
    )


@network.command
def revoke(
    code: Code,
    *,
    lists: Annotated[Path | None, Parameter(help="Write the lists here too, for `install` on other hosts.")] = None,
    common: Common = PLAIN,
) -> None:
    """Shut out a member's certificates: its validator and its ordering server are refused from now on."""
    from stoa.network.ceremony import lists_now
    from stoa.network.folders import AUTHORITY
    from stoa.network.papers import write_paper
    from stoa.network.renewal import revoke as shut_out

    net = running(common)
    with _renewing(net):
        count = shut_out(net.plan, net.folder, code, net.reload)
        if lists is not None:
            write_paper(lists_now(net.plan, net.folder / AUTHORITY, passphrase(common)), lists)
    common.done({"institution": code, "revoked": count}, f"{code} is shut out.", f"{code}의 인증서를 폐기했습니다.")


@network.command(name="reload")
def reload_lists(*, common: Common = PLAIN) -> None:
    """Let the ordering servers here read their configuration again, e.g. after new lists came from the authority."""
    from stoa.network.running import NotUp

    net = running(common)
    try:
        net.reload()
    except NotUp as error:
        raise Trouble(str(error)) from None
    common.done({"reloaded": [one.code for one in net.here]}, "Reloaded.", "다시 읽었습니다.")


@network.command(name="units")
def show_units(
    code: Code,
    *,
    at: Annotated[str, Parameter(help="Where institutions' folders are on its host.")] = "/var/lib/stoa",
    programs: Annotated[str, Parameter(help="Where stoa and nats-server are on its host.")] = "/opt/stoa/.venv/bin",
    user: Annotated[str, Parameter(help="Who runs them.")] = "stoa",
    into: Annotated[Path | None, Parameter(help="Write the files here instead of showing them.")] = None,
    common: Common = PLAIN,
) -> None:
    """Give the systemd units of a member on a host of its own."""
    from stoa.network.units import units

    net = running(common)
    with _named():
        made = units(net.plan, net.plan.member(code), at, programs, user)
    if into is not None:
        into.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (into / name).write_text(text, encoding="utf-8")
        names = ", ".join(made)
        common.done(
            {"folder": str(into), "units": made}, f"{names} are in {into}.", f"{names}을(를) {into}에 저장했습니다."
        )
        return
    shown = "\n".join(f"# {name}\n{text}" for name, text in made.items())
    common.done({"units": made}, shown, shown)


def require_authority(net: "Running") -> Path:
    """The folder of the network's authority. Raises Usage when it is not here."""
    from stoa.network.folders import AUTHORITY

    folder = net.folder / AUTHORITY
    if not folder.is_dir():
        raise Usage(f"the network's authority is not here (no {folder}): run this where it is kept")
    return folder


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except LookupError as error:
        raise Usage(str(error.args[0])) from None


@contextmanager
def _renewing(net: "Running") -> Iterator[None]:
    from stoa.custody.keystore import KeystoreError
    from stoa.network.running import NotUp

    require_authority(net)
    try:
        with _named():
            yield
    except KeystoreError as error:
        raise Usage(str(error)) from None
    except NotUp as error:
        raise Trouble(str(error)) from None
