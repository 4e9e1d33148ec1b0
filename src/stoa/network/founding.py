"""Founding a network: keys, genesis, certificates and configuration, each institution's in a folder of its own.

Promises: an institution's folder holds its own secrets and what everybody may know, nothing else; all folders hold the
same genesis. Does not own: who may have what signed (the caller gives the policy's text).
"""

import secrets
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from cryptography import x509

from stoa.api.opening import network_word, validator_of
from stoa.custody import durable
from stoa.custody.keyfile import require_long
from stoa.custody.keystore import Keystore
from stoa.custody.secret import Secret
from stoa.custody.vault import MAX_PARTY
from stoa.journal import Journal
from stoa.kernel import signing
from stoa.ledger.catalog import Genesis
from stoa.network import folders
from stoa.network.certificates import Authority, Pair, PrivateKey, PublicKey, new_key, pin
from stoa.network.plan import HERE, Member, Plan, write_plan
from stoa.network.register import Issued, Register
from stoa.network.server_conf import access_conf, pins_conf, server_conf
from stoa.node.config import Config, Network, load_config, write_config
from stoa.node.found import found
from stoa.node.node import JOURNAL_FOLDER
from stoa.wire.forms import from_form

QUORUM_RULES = {"majority": 0, "byzantine": 1}


class House(NamedTuple):
    """What an institution shows the others of its keys."""

    address: str
    public: bytes
    voting: bytes


class Founded(NamedTuple):
    """A new network: the hash of its genesis block, and each institution's operating address."""

    genesis: bytes
    addresses: dict[str, str]


def found_network(plan: Plan, folder: Path, passphrase: Secret, policy: str, now: int) -> Founded:
    """Make everything, in a folder that is new. Raises KeystoreError, Malformed and BadForm."""
    require_long(passphrase)
    durable.private_directory(folder)
    houses = {one.code: make_house(folder / one.code, plan, one, passphrase, policy, now) for one in plan.members}
    genesis = _genesis(plan, houses, now)
    headers = {found(folder / one.code, genesis).hash() for one in plan.members}
    assert len(headers) == 1, "one document, one genesis"
    equip(plan, folder, passphrase, now)
    return Founded(headers.pop(), {code: house.address for code, house in houses.items()})


def equip(plan: Plan, folder: Path, passphrase: Secret, now: int) -> None:
    """Give houses that are there, with keystores of this passphrase, what makes them a network: an authority and its
    certificates, the settings of their ordering servers, and the plan."""
    authority = Authority.create(folder / folders.AUTHORITY, plan.chain, passphrase, now)
    durable.write(folder / folders.GENESIS, _document(folder / plan.codes[0]))
    register = Register(folder / folders.AUTHORITY)
    register.enter(*(certify(plan, one, folder, authority, passphrase, 1) for one in plan.members))
    for one in plan.members:
        (folder / one.code / folders.SERVER_CONF).write_text(server_conf(plan, one), encoding="utf-8")
        write_plan(plan, folder / one.code / folders.PLAN)
    write_access(plan, folder, register)
    write_plan(plan, folder / folders.PLAN)


def genesis_of(plan: Plan, folder: Path) -> bytes | None:
    """The network's genesis, as the authority or any member in the folder has it; None if nobody is there."""
    if (path := folder / folders.GENESIS).is_file():
        return path.read_bytes()
    houses = (folder / code for code in plan.codes)
    return next((_document(house) for house in houses if (house / JOURNAL_FOLDER).is_dir()), None)


def _document(house: Path) -> bytes:
    with Journal.open(house / JOURNAL_FOLDER, readonly=True) as journal:
        return journal.genesis


def make_house(folder: Path, plan: Plan, member: Member, passphrase: Secret, policy: str, now: int) -> House:
    """The institution's folder with its keys, settings and policy; returns what the others need to know.

    Raises KeystoreError; for a passphrase that is too short, before anything is made.
    """
    require_long(passphrase)
    config = config_of(plan, member)
    for inner in (folder, folder / folders.CERTIFICATES, folder / folders.STORE):
        durable.private_directory(inner)
    keystore = Keystore.create(folder / config.keystore, passphrase)
    keys = keystore.generate_all([config.validator_key, config.vault_key, member.code], now)
    write_config(folder, config)
    (folder / config.policy).write_text(policy, encoding="utf-8")
    voting = signing.public_key(validator_of(config, keystore).secret)
    return House(keys[-1].address, keys[-1].public, voting)


def house_of(folder: Path, code: str, passphrase: Secret) -> House:
    """What an institution that is there shows of its keys. Raises KeystoreError."""
    config = load_config(folder)
    keystore = Keystore(folder / config.keystore, passphrase)
    key = keystore.key(code)
    return House(key.address, key.public, signing.public_key(validator_of(config, keystore).secret))


def told_of(plan: Plan, member: Member, peer: str) -> Plan:
    """The plan as a newcomer's programs are told of it: with one member beside itself, or as it is for no name."""
    if not peer:
        return plan
    told = tuple(one for one in plan.members if one.code in (peer, member.code))
    return msgspec.structs.replace(plan, members=told)


def furnish(told: Plan, member: Member, inner: Path) -> None:
    """Write the settings of a member's validator and of its ordering server."""
    write_config(inner, config_of(told, member))
    (inner / folders.SERVER_CONF).write_text(server_conf(told, member), encoding="utf-8")


def config_of(plan: Plan, member: Member) -> Config:
    """The settings of a member's house: its own server first, then those that keep the log."""
    others = [one for one in plan.members if one.code != member.code and one.log]
    servers = tuple(one.url for one in (member, *others))
    monitor = f"http://{HERE}:{member.monitor}" if member.log else ""
    network = Network(servers, replicas=plan.replicas, monitor=monitor)
    return Config(member.code, member.port, audience=member.code, network=network)


def _genesis(plan: Plan, houses: dict[str, House], now: int) -> Genesis:
    founders: list[dict[str, Any]] = [
        {
            "institution": one.code, "name": one.institution.name, "country": one.institution.country,
            "roles": list(one.institution.roles), "party": 1 + secrets.randbelow(MAX_PARTY), "threshold": 1,
            "keys": [houses[one.code].public.hex()], "validator": houses[one.code].voting.hex(),
        }
        for one in plan.members
    ]  # fmt: skip
    chosen = {"quorum": QUORUM_RULES[plan.quorum]} | plan.parameters
    parameters = [{"name": name, "value": value} for name, value in chosen.items()]
    form = {"chain": plan.chain, "time": now, "founders": founders, "parameters": parameters}
    return from_form(Genesis, form)


def certify(plan: Plan, member: Member, folder: Path, authority: Authority, passphrase: Secret, number: int) -> Issued:
    """Write new keys and certificates of this number into a member's folder. Raises KeystoreError."""
    inner, server, client = folder / member.code, new_key(), new_key()
    granted = grant(plan, member, authority, number, server.public_key(), client.public_key())
    write_pairs(inner, member_word(plan, member, inner, passphrase), authority.pem, granted, server, client)
    return granted.issued


class Granted(NamedTuple):
    """An institution's certificates under one number, and their entry for the register."""

    server: x509.Certificate
    client: x509.Certificate
    issued: Issued


def grant(
    plan: Plan, member: Member, authority: Authority, number: int, server: PublicKey, client: PublicKey
) -> Granted:
    """Certificates of the authority for a member's two public keys."""
    one = authority.server(plan.chain, member.code, (member.host, HERE), server)
    two = authority.client(plan.chain, member.code, number, client)
    until = two.not_valid_after_utc.date().isoformat()
    return Granted(one, two, Issued(member.code, number, pin(server), until, "active"))


def member_word(plan: Plan, member: Member, inner: Path, passphrase: Secret) -> Secret:
    """The word that the key of a member's client certificate is sealed under. Raises KeystoreError."""
    config = config_of(plan, member)
    return network_word(config, Keystore(inner / config.keystore, passphrase))


def write_pairs(inner: Path, word: Secret, ca: bytes, granted: Granted, server: PrivateKey, client: PrivateKey) -> None:
    """Put a member's certificates and keys into its folder."""
    durable.write(inner / folders.CA, ca)
    Pair(granted.server, server).write(inner / folders.certificate(folders.SERVER), inner / folders.key(folders.SERVER))
    pair = Pair(granted.client, client)
    pair.write(inner / folders.certificate(folders.CLIENT), inner / folders.key(folders.CLIENT), word)


def write_access(plan: Plan, folder: Path, register: Register) -> None:
    """Write the lists of who is let in and which servers are known into every folder that is here."""
    access, pins = access_conf(plan, register.active), pins_conf(register.active)
    for inner in (folder / code for code in plan.codes if (folder / code).is_dir()):
        durable.write(inner / folders.ACCESS_CONF, access.encode())
        durable.write(inner / folders.PINS_CONF, pins.encode())
