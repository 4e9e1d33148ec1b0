"""Renewal between hosts that share no secret: two folders as two hosts, each with its own passphrase and servers."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from stoa.network.running import Running
from tests.cli.test_commands import answer, stoa
from tests.network import test_access
from tests.network.conftest import founded

OWN = "a passphrase of broker A"


class Two(NamedTuple):
    """The authority's place with four members, and the host of BROKER-A."""

    here: Path
    there: Path


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    scratch = tmp_path_factory.mktemp("two")
    _, here = founded(scratch)
    there = scratch / "host"
    there.mkdir()
    shutil.move(here / "BROKER-A", there / "BROKER-A")
    answer("keys", "rotate", folder=there / "BROKER-A", STOA_NEW_PASSPHRASE=OWN)
    nets = Running(here), Running(there)
    try:
        for net in nets:
            net.up(net.here, ("server",))
        yield Two(here, there)
    finally:
        for net in nets:
            net.down(net.here)


def test_keys_are_made_at_the_member_and_the_old_number_is_retired(two: Two, tmp_path: Path) -> None:
    asked, granted, lists = (tmp_path / f"{name}.json" for name in ("asked", "granted", "lists"))
    there, here = Running(two.there), Running(two.here)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_access, "PASSPHRASE", OWN)
        old = test_access.context(two.there, "BROKER-A")
        answer("network", "request", "BROKER-A", asked, folder=two.there, STOA_PASSPHRASE=OWN)
        assert b"PRIVATE" not in asked.read_bytes()
        assert not test_access.refused(there, old)
        answer("network", "grant", asked, granted, folder=two.here)
        assert b"PRIVATE" not in granted.read_bytes()
        done = answer("network", "install", granted, folder=two.there, STOA_PASSPHRASE=OWN)
        assert done == {"certificates": "BROKER-A"}
        assert answer("network", "install", granted, folder=two.here) == {"certificates": ""}
        new = test_access.context(two.there, "BROKER-A")
        for net, at in ((there, "BROKER-A"), (here, "BROKER-B")):
            assert not test_access.refused(net, old, at)
            assert not test_access.refused(net, new, at)
        answer("network", "retire", "BROKER-A", lists, folder=two.here)
        for folder in two:
            answer("network", "install", lists, folder=folder)
        for net, at in ((there, "BROKER-A"), (here, "BROKER-B")):
            assert test_access.refused(net, old, at)
            assert not test_access.refused(net, new, at)
    assert not list((two.there / "BROKER-A" / "network").glob("next-*"))


def test_what_does_not_fit_is_refused_and_changes_nothing(two: Two, tmp_path: Path) -> None:
    asked, granted = tmp_path / "asked.json", tmp_path / "granted.json"
    answer("network", "request", "BROKER-A", asked, folder=two.there, STOA_PASSPHRASE=OWN)
    answer("network", "grant", asked, granted, folder=two.here)
    before = (two.there / "BROKER-A" / "network" / "client.pem").read_bytes()
    answer("network", "request", "BROKER-A", tmp_path / "later.json", folder=two.there, STOA_PASSPHRASE=OWN)
    code, _, errors = stoa("network", "install", granted, folder=two.there, STOA_PASSPHRASE=OWN)
    assert (code, "answers another request" in errors) == (2, True)
    assert (two.there / "BROKER-A" / "network" / "client.pem").read_bytes() == before

    form = json.loads(asked.read_text())
    for change, complaint in (
        ({"chain": "other"}, "a request to the network other"),
        ({"code": "BROKER-C"}, "is no member"),
        ({"client": "nothing"}, "no PKCS 10 request"),
        ({"more": 1}, "unknown field"),
    ):
        (tmp_path / "bad.json").write_text(json.dumps(form | change))
        code, _, errors = stoa("network", "grant", tmp_path / "bad.json", tmp_path / "out.json", folder=two.here)
        assert (code, complaint in errors) == (2, True), errors
    assert "neither grant nor lists" in stoa("network", "install", asked, folder=two.here)[2]
    assert "is no request" in stoa("network", "grant", granted, tmp_path / "out.json", folder=two.here)[2]
    assert "authority is not here" in stoa("network", "grant", asked, tmp_path / "out.json", folder=two.there)[2]
    assert "asks by `stoa network request`" in stoa("network", "rotate", "BROKER-A", folder=two.here)[2]
    assert "No such file" in stoa("network", "install", tmp_path / "nothing.json", folder=two.here)[2]


def test_a_revocation_reaches_the_servers_of_other_hosts(two: Two, tmp_path: Path) -> None:
    member = test_access.context(two.here, "SURVEILLANCE")
    there = Running(two.there)
    assert not test_access.refused(there, member, "BROKER-A")
    lists = tmp_path / "lists.json"
    assert answer("network", "revoke", "SURVEILLANCE", "--lists", lists, folder=two.here)["revoked"] == 1
    assert test_access.refused(Running(two.here), member, "BROKER-B")
    answer("network", "install", lists, folder=two.there)
    assert test_access.refused(there, member, "BROKER-A")
