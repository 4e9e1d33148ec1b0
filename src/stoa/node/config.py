"""The settings of one institution's house: ``stoa.toml`` in the ledger's folder, every setting documented in the file.

Owns the names, types, defaults and bounds, and the text that ``stoa init`` writes. Paths are relative to the folder.
Does not own secrets: the passphrase comes from the environment or the keyboard, never from this file.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from stoa.kernel.identifiers import InstitutionId
from stoa.kernel.limits import MAX_VALIDATORS

FILE: Final = "stoa.toml"
FOLDER_VARIABLE: Final = "STOA_FOLDER"  # the folder to use when no --folder is given
PASSPHRASE_VARIABLE: Final = "STOA_PASSPHRASE"  # of the keystore, for programs; people are asked for it
DEFAULT_PORT: Final = 7080
MAX_PROCESSES: Final = 256
MAX_REPLICAS: Final = 5  # of the ordering log, as many as NATS allows
GOVERNED: Final = ("checkpoint_blocks", "replicas_of_bodies")  # settings once, now decided by the members

_Path = Annotated[str, Meta(min_length=1, max_length=400)]
_Url = Annotated[str, Meta(pattern=r"^(tls|http)://[^\s/]+:\d{1,5}$", max_length=300)]
_Monitor = Annotated[str, Meta(pattern=r"^$|^(tls|http)://[^\s/]+:\d{1,5}$", max_length=300)]
_KeyName = Annotated[str, Meta(min_length=1, max_length=64)]


class BadConfig(ValueError):
    """The file does not say what settings can say; the message names file, field and rule."""


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the house reaches the others: the table ``[network]``. ``NETWORK_TEMPLATE`` says what each setting means."""

    servers: Annotated[tuple[_Url, ...], Meta(min_length=1, max_length=MAX_VALIDATORS)]
    ca: _Path = "network/ca.pem"
    certificate: _Path = "network/client.pem"
    key: _Path = "network/client.key"
    replicas: Annotated[int, Meta(ge=1, le=MAX_REPLICAS)] = MAX_REPLICAS
    monitor: _Monitor = "http://127.0.0.1:7083"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings. ``TEMPLATE`` says what each one means."""

    institution: InstitutionId
    port: Annotated[int, Meta(ge=1, le=65_535)] = DEFAULT_PORT
    processes: Annotated[int, Meta(ge=0, le=MAX_PROCESSES)] = 0
    language: Literal["en", "ko"] = "en"
    audience: Annotated[str, Meta(min_length=1, max_length=120)] = "stoa"
    keystore: _Path = "keys.keystore"
    validator_key: _KeyName = "validator"
    vault_key: _KeyName = "vault"
    policy: _Path = "policy.toml"
    views: _Path = "views.sqlite"
    gateway: bool = True
    network: Network | None = None


TEMPLATE: Final = """\
# The settings of this house. A changed setting counts from the next start.

institution = "{institution}"    # whose house this is; its validator makes the blocks
port = {port}                # where API and pages listen, on 127.0.0.1 only
processes = {processes}              # more processes that check signatures; 0: the node does it itself
language = "{language}"            # of the command line where --language is not given: en or ko
audience = "{audience}"         # names this door in signed requests, so that no other door accepts them

keystore = "{keystore}"  # signing keys, sealed under the passphrase (STOA_PASSPHRASE, or asked for)
validator_key = "{validator_key}"  # the key in the keystore from which the voting key is derived
vault_key = "{vault_key}"          # the key from which the vault's master key is derived
policy = "{policy}"     # who may have what signed
views = "{views}"    # the read model: a file (SQLite), or postgresql://user@host/name
gateway = {gateway}          # false: no API, pages or views here: a validator with its probes, metrics and bulk door
"""

NETWORK_TEMPLATE: Final = """
# The network of several institutions. Without this table the house is a network of one.

[network]
servers = {servers}  # ordering servers, this house's own first; the next is tried when one fails
ca = "{ca}"               # the network's authority, whose certificates alone are trusted
certificate = "{certificate}"  # this house's certificate as a client; renewed by `stoa network rotate`
key = "{key}"          # its key, sealed under a word that is derived from the keystore
replicas = {replicas}                       # on how many servers the ordering log is kept
monitor = "{monitor}"  # where this house's own server tells how it is; "": it keeps no log
"""


def load_config(folder: Path) -> Config:
    """The settings in a folder. Raises BadConfig; FileNotFoundError when there is no ledger."""
    text = (folder / FILE).read_text(encoding="utf-8")
    try:
        found = tomllib.loads(text)
        if left := [name for name in GOVERNED if name in found]:
            rule = "is a parameter that the members vote on, the same for all: take the line out"
            raise BadConfig(f"{FILE}: {left[0]} {rule}")
        return msgspec.convert(found, Config)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadConfig(f"{FILE}: {error}") from None


def write_config(folder: Path, config: Config) -> None:
    """Write the documented file of these settings."""
    (folder / FILE).write_text(config_text(config), encoding="utf-8")


def config_text(config: Config) -> str:
    """The documented file of these settings."""
    written = msgspec.structs.asdict(config) | {"gateway": "true" if config.gateway else "false"}
    text = TEMPLATE.format_map(written)
    if config.network is not None:
        fields = msgspec.structs.asdict(config.network)
        text += NETWORK_TEMPLATE.format_map(fields | {"servers": _listed(config.network.servers)})
    return text


def _listed(words: tuple[str, ...]) -> str:
    return "[\n" + "".join(f'    "{word}",\n' for word in words) + "]"
