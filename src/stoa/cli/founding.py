"""``stoa init`` and ``stoa up``: a ledger is made, and runs."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from stoa.cli.houses import HERE, config_of, opened, opened_node, passphrase
from stoa.cli.shell import PLAIN, Common, Trouble, Usage, app

if TYPE_CHECKING:
    from stoa.demo.dossier import Institution

NETWORK: Final = (
    ("REGISTRAR", "registrar"), ("BROKER-A", "broker"), ("BROKER-B", "broker"), ("AGENT", "issuer_agent"),
    ("BANK", "settlement_bank"), ("VENUE", "venue_operator"), ("IDENTITY", "identity_provider"),
    ("SUPERVISOR", "supervisor"),
)  # fmt: skip
MAX_PORT: Final = 65_535


@app.command
def init(
    folder: Annotated[Path, Parameter(env_var="STOA_FOLDER", help="A new folder for the ledger.")] = HERE,
    *,
    chain: Annotated[str, Parameter(help="The ledger's name, in every transaction.")] = "stoa",
    network: Annotated[
        Path | None, Parameter(help="A TOML file with the [[institution]]s, as in a term sheet.")
    ] = None,
    validator: Annotated[str, Parameter(help="The institution that runs the node; by default the registrar.")] = "",
    port: int = 7080,
    common: Common = PLAIN,
) -> None:
    """Make a ledger folder: keys, genesis, settings and a signing policy, for a network on this machine."""
    from stoa.custody.policy import STARTER
    from stoa.node.config import FILE, Config, write_config

    if (folder / FILE).exists() or (folder.is_dir() and any(folder.iterdir())):
        raise Usage(common.words(f"{folder} is not empty: choose a new folder.", f"{folder}이(가) 비어 있지 않습니다."))
    _require(chain, port)
    members = _members(network)
    registrar = next((one.code for one in members if "registrar" in one.roles), "")
    chosen = validator or registrar
    if chosen not in [one.code for one in members]:
        raise Usage(f"--validator {chosen!r}: wanted is one of " + ", ".join(one.code for one in members))
    addresses = _found(folder, chain, members, chosen, common)
    write_config(folder, Config(chosen, port, language=common.tongue))
    (folder / "policy.toml").write_text(STARTER, encoding="utf-8")
    answer = {"folder": str(folder), "chain": chain, "validator": chosen, "institutions": addresses}
    en = f"The ledger {chain} is in {folder}. Run it: stoa up --folder {folder}"
    common.done(answer, en, f"원장 {chain}을(를) {folder}에 만들었습니다. 실행: stoa up --folder {folder}")


def _require(chain: str, port: int) -> None:
    """Raise Usage for what a ledger cannot be called, or where it cannot be found, before anything is made."""
    from stoa.kernel.limits import MAX_CODE

    if not 1 <= len(chain) <= MAX_CODE:
        raise Usage(f"--chain: a ledger's name has 1 to {MAX_CODE} characters, this one {len(chain)}")
    if not 1 <= port <= MAX_PORT:
        raise Usage(f"--port: a port is 1 to {MAX_PORT} ({port})")


def _members(network: Path | None) -> "tuple[Institution, ...]":
    from stoa.demo.dossier import Institution
    from stoa.demo.files import institutions
    from stoa.demo.reading import BadFile

    if network is None:
        return tuple(Institution(code, code.title(), "KR", (role,)) for code, role in NETWORK)
    try:
        return institutions(network)
    except BadFile as error:
        raise Usage(str(error)) from None


def _found(
    folder: Path, chain: str, members: "tuple[Institution, ...]", validator: str, common: Common
) -> dict[str, str]:
    """Keys into the keystore, genesis into the journal. Returns each institution's address."""
    from stoa.api.opening import VOTING_PURPOSE
    from stoa.custody.keystore import Keystore, KeystoreError
    from stoa.custody.vault import MAX_PARTY
    from stoa.kernel import signing
    from stoa.kernel.codec import Malformed
    from stoa.ledger.catalog import Genesis
    from stoa.node.config import Config
    from stoa.node.found import found
    from stoa.node.node import wall_clock
    from stoa.wire.forms import BadForm, from_form

    settings, now = Config(validator), wall_clock()
    try:
        keystore = Keystore.create(folder / settings.keystore, passphrase(common, new=True))
        names = [settings.validator_key, settings.vault_key, *(one.code for one in members)]
        keys = {key.name: key for key in keystore.generate_all(names, now)}
        voting = signing.public_key(keystore.derived(settings.validator_key, VOTING_PURPOSE).reveal()).hex()
        founders = [
            {
                "institution": one.code, "name": one.name, "country": one.country, "roles": list(one.roles),
                "party": 1 + secrets.randbelow(MAX_PARTY), "threshold": 1, "keys": [keys[one.code].public.hex()],
                "validator": voting if one.code == validator else "",
            }
            for one in members
        ]  # fmt: skip
        form = {"chain": chain, "time": now, "founders": founders, "parameters": []}
        found(folder, from_form(Genesis, form))
    except (KeystoreError, BadForm, Malformed) as error:
        raise Usage(str(error)) from None
    return {one.code: keys[one.code].address for one in members}


@app.command
def up(*, common: Common = PLAIN) -> None:
    """Run the node with its API and pages on 127.0.0.1, until Ctrl-C."""
    from stoa.api.app import create_app
    from stoa.api.serve import CannotListen, serve
    from stoa.node.collector import rest_collector
    from stoa.node.log import log_to_stderr
    from stoa.web.handlers import handlers

    log_to_stderr()
    rest_collector()
    if not config_of(common).gateway:
        _hold(common)
        return
    with opened(common) as house:
        _print_urls(common, house.config.port)
        try:
            serve(create_app(house.services, handlers()), house.config.port)
        except CannotListen as error:
            raise Trouble(f"{error}: change port in stoa.toml") from None
        if house.services.node.failure:
            raise Trouble(house.services.node.failure)


def _hold(common: Common) -> None:
    """Run the validator without API and pages, with its probes alone, until it is told to stop."""
    from stoa.api.probing import create_probe_app
    from stoa.api.serve import CannotListen, serve

    with opened_node(common) as house:
        try:
            serve(create_probe_app(house.node), house.config.port)
        except CannotListen as error:
            raise Trouble(f"{error}: change port in stoa.toml") from None
        if house.node.failure:
            raise Trouble(house.node.failure)


def _print_urls(common: Common, port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    urls = {"console": url, "api": f"{url}/v1", "openapi": f"{url}/v1/openapi.json", "health": f"{url}/health/ready"}
    stop = common.words("Ctrl-C stops it.", "Ctrl-C로 종료합니다.")
    lines = "\n".join(f"{name:8} {address}" for name, address in urls.items())
    common.answer(urls, lambda out: out.print(f"{lines}\n{stop}", highlight=False))
