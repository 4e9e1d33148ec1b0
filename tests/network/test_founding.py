"""What ``stoa network init`` leaves behind: five folders that agree in public and share no secret."""

import ssl
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from stoa.api.opening import network_word, validator_of
from stoa.custody.keystore import Keystore
from stoa.custody.secret import Secret
from stoa.journal.journal import Journal
from stoa.kernel import signing
from stoa.ledger.catalog import read_genesis
from stoa.network.plan import MEMBER_RULE, BadFile, Plan, read_plan
from stoa.node.config import load_config
from tests.cli.test_commands import answer, stoa
from tests.network.conftest import EXAMPLE, PASSPHRASE, written_example

PUBLIC = {"network.toml", "network/ca.pem", "network/access.conf", "network/pins.conf"}


def test_every_folder_starts_from_the_same_genesis_with_all_voting_keys(network: tuple[Plan, Path]) -> None:
    plan, folder = network
    documents = set()
    voting = {}
    for code in plan.codes:
        with Journal.open(folder / code / "journal", readonly=True) as journal:
            documents.add(journal.genesis)
        config = load_config(folder / code)
        assert config.institution == code
        keystore = Keystore(folder / code / config.keystore, Secret(PASSPHRASE))
        voting[code] = signing.public_key(validator_of(config, keystore).secret)
        assert code in [key.name for key in keystore.listing()]
        assert not {key.name for key in keystore.listing()} & (set(plan.codes) - {code})
    (document,) = documents
    genesis = read_genesis(document)
    assert {one.institution: one.validator for one in genesis.founders} == voting
    assert {one.name: one.value for one in genesis.parameters} == {"quorum": 0, "batch_linger_ms": 20}


def test_folders_share_nothing_but_what_is_public(network: tuple[Plan, Path]) -> None:
    plan, folder = network
    contents: dict[bytes, set[str]] = {}
    for code in plan.codes:
        for path in (folder / code).rglob("*"):
            if path.is_file() and path.stat().st_size:
                contents.setdefault(path.read_bytes(), set()).add(str(path.relative_to(folder / code)))
    shared = {name for raw, names in contents.items() for name in names}
    for raw, names in contents.items():
        holders = [code for code in plan.codes for name in names if _has(folder / code / name, raw)]
        if len(holders) > 1:
            assert names <= PUBLIC | {"policy.toml"} or all(name.startswith("journal/") for name in names), names
    assert shared >= PUBLIC


def _has(path: Path, raw: bytes) -> bool:
    return path.is_file() and path.read_bytes() == raw


def test_keys_lie_sealed_or_for_their_owner_alone(network: tuple[Plan, Path]) -> None:
    plan, folder = network
    for code in plan.codes:
        inner = folder / code / "network"
        assert b"BEGIN ENCRYPTED PRIVATE KEY" in (inner / "client.key").read_bytes()
        assert b"BEGIN PRIVATE KEY" in (inner / "server.key").read_bytes()
        for name in ("client.key", "server.key"):
            assert stat.S_IMODE((inner / name).stat().st_mode) == 0o600
        assert stat.S_IMODE((folder / code).stat().st_mode) == 0o700
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in (folder / "authority" / "ca.key").read_bytes()


def test_the_client_key_opens_with_the_word_of_the_house_also_after_its_passphrase_changed(tmp_path: Path) -> None:
    answer("network", "init", "--institutions", written_example(tmp_path), folder=tmp_path / "network")
    house = tmp_path / "network" / "BROKER-A"
    answer("keys", "rotate", folder=house, STOA_NEW_PASSPHRASE="another passphrase of A")
    config = load_config(house)
    keystore = Keystore(house / config.keystore, Secret("another passphrase of A"))
    assert config.network is not None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    files = (house / config.network.certificate, house / config.network.key)
    context.load_cert_chain(*files, password=network_word(config, keystore).reveal())
    with pytest.raises(ssl.SSLError):
        context.load_cert_chain(*files, password=b"another passphrase of A")


def test_a_client_certificate_says_who_it_is(network: tuple[Plan, Path]) -> None:
    _, folder = network
    raw = (folder / "BROKER-B" / "network" / "client.pem").read_bytes()
    names = x509.load_pem_x509_certificate(raw).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["stoa://koscom-five/BROKER-B/1"]


def test_the_settings_name_the_own_server_first(network: tuple[Plan, Path]) -> None:
    plan, folder = network
    settings = load_config(folder / "PLATFORM").network
    assert settings is not None
    assert settings.servers[0] == f"tls://127.0.0.1:{plan.member('PLATFORM').clients}"
    assert len(settings.servers) == settings.replicas == 5
    assert settings.monitor.endswith(str(plan.member("PLATFORM").monitor))
    assert read_plan(folder / "PLATFORM" / "network.toml") == plan


def test_the_command_founds_once(tmp_path: Path) -> None:
    file, folder = written_example(tmp_path), tmp_path / "network"
    made = answer("network", "init", "--institutions", file, folder=folder)
    assert (made["chain"], len(made["institutions"])) == ("koscom-five", 5)
    assert stoa("network", "init", "--institutions", file, folder=folder)[0] == 2
    assert answer("query", "institutions", folder=folder / "BROKER-A")["institutions"]
    assert answer("verify", folder=folder / "BROKER-B")["flaws"] == []
    for words in (("verify",), ("query", "institutions")):
        said = answer(*words, folder=folder, code=2)["message"]
        assert said.startswith(f"{folder} is the folder of a network: give that of an institution in it")
        assert f"--folder {folder / 'BROKER-A'} (here are: BROKER-A, BROKER-B, OTC-MARKET, " in said


def test_a_passphrase_that_will_not_do_leaves_nothing_behind(tmp_path: Path) -> None:
    file, folder = written_example(tmp_path), tmp_path / "network"
    init = ("network", "init", "--institutions", file)
    assert answer(*init, folder=folder, code=2, STOA_PASSPHRASE="x")["message"] == (
        "a passphrase has at least 12 bytes, this one 1"
    )
    assert "passphrase is needed: set STOA_PASSPHRASE" in stoa(*init, folder=folder, STOA_PASSPHRASE="")[2]
    assert not folder.exists()
    applied = ("network", "apply", _only(file, "BROKER-A"), tmp_path / "asked.json", "--chain", "koscom-five")
    assert "at least 12 bytes" in stoa(*applied, folder=tmp_path / "own", STOA_PASSPHRASE="x")[2]
    assert not (tmp_path / "own").exists()
    assert not (tmp_path / "asked.json").exists()
    answer(*init, folder=folder)


def _only(file: Path, code: str) -> Path:
    """A file of one institution of these."""
    found = next(one for one in file.read_text(encoding="utf-8").split("[[institution]]") if f'"{code}"' in one)
    path = file.with_name("one.toml")
    path.write_text("[[institution]]" + found, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            'quorum = "majority"',
            'quorum = "most"',
            "five.toml:6: network.quorum: wanted is majority or byzantine ('most')",
        ),
        ("replicas = 5", "replicas = 4", "five.toml:7: network.replicas: is 1, 3 or 5"),
        ('code = "BROKER-B"', 'code = "BROKER-A"', "institution[4].code: a code is used once ('BROKER-A')"),
        *(
            ('code = "BROKER-B"', f'code = "{code}"', f"[4].code: a member's code is {MEMBER_RULE} ({code!r})")
            for code in ("BROKER.B", "broker b", "-B")
        ),
        (
            'chain = "koscom-five"',
            'chain = "koscom five"',
            "five.toml:5: network.chain: has letters, digits and dashes only",
        ),
        ("port = 7140", "port = 7132", "BROKER-A has one of them (127.0.0.1:7132)"),
        ('host = "127.0.0.1"\nport = 7140', 'host = "not a host"\nport = 7140', "institution[4].host: wanted is"),
        ("batch_linger_ms = 20", "batch_linger_ms = 2000", "batch_linger_ms: wanted is a whole number from 1 to 1000"),
        (
            "batch_linger_ms = 20",
            "linger = 20",
            "parameters.linger: there is no such field here (known are batch_bytes, batch_linger_ms, "
            "batch_transactions, checkpoint_blocks, clock_tolerance_ms, replicas_of_bodies)",
        ),
        (
            'name = "Broker B"',
            'name = "Broker B"\nmonitor = 1',
            "[4].monitor: there is no such field here (known are code, country, host, log, name, port, roles)",
        ),
        (
            'roles = ["registrar", "identity_provider", "settlement_bank"]',
            'roles = ["identity_provider"]',
            "five.toml:21: institution[0].roles: at least one institution has the role registrar, which admits others "
            "(there are venue_operator, issuer_agent, supervisor, identity_provider, broker)",
        ),
        (
            'name = "Broker B"\ncountry = "KR"',
            'name = "Broker B"\ncountry = "KOR"',
            "institution[4].country: a country is two capital letters (ISO 3166-1) ('KOR')",
        ),
        ('roles = ["supervisor"]', 'roles = ["police"]', "institution[1].roles: wanted are words out of"),
    ],
)
def test_a_mistake_is_named_by_file_line_field_and_rule(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "five.toml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(BadFile) as caught:
        read_plan(tmp_path / "five.toml")
    assert complaint in str(caught.value)
    assert caught.value.line > 0
    code, _, errors = stoa("network", "init", "--institutions", tmp_path / "five.toml", folder=tmp_path / "network")
    assert code == 2
    assert "five.toml:" in errors


def test_the_real_server_accepts_each_configuration(network: tuple[Plan, Path]) -> None:
    from stoa.network.programs import server_program

    plan, folder = network
    for code in plan.codes:
        done = subprocess.run([server_program(), "-t", "-c", "nats.conf"], cwd=folder / code, check=False)
        assert done.returncode == 0
