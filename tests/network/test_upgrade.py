"""Members upgrade one by one: two builds of the program side by side, and transactions become final all the while.

The next build is a copy of this one with another version, whose validators tell one thing more of themselves than this
one knows of, and say a word that it has never heard.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import stoa as this
from stoa.network.looking import ask_json
from stoa.network.running import Running
from tests.cli.test_commands import answer
from tests.network.conftest import founded
from tests.network.test_five import agreed, register
from tests.network.test_processes import _alive, until

NEXT = "99.1"
TELL = "self._peers.tell(encode(word))\n"
DOORS = ("PLATFORM", "OTC-MARKET", "BROKER-B")  # whose gateways are asked; the others have none and start sooner
LONG = 60.0


def next_build(folder: Path) -> Path:
    """A folder with the next build of the package."""
    package = Path(this.__file__).parent
    shutil.copytree(package, folder / "stoa", ignore=shutil.ignore_patterns("__pycache__", "vendor"))
    changes = {
        "__init__.py": [(f'__version__ = "{this.__version__}"', f'__version__ = "{NEXT}"')],
        "wire/status.py": [
            ("class Promise(", 'class Later(Shape, tag="peer.later.v1"):\n    chain: str\n\n\nclass Promise('),
            ("MAX_VERSION)] = \"\"\n", "MAX_VERSION)] = \"\"\n    hint: str = \"of a later version\"\n"),
        ],
        "node/voice.py": [
            (TELL, TELL + '            self._peers.tell(encode(Later("x")))\n'),
            ("import Promise, Word", "import Later, Promise, Word"),
        ],
    }  # fmt: skip
    for name, pairs in changes.items():
        path = folder / "stoa" / name
        text = path.read_text("utf-8")
        for before, after in pairs:
            assert before in text, f"{name} has changed: {before}"
            text = text.replace(before, after, 1)
        path.write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    _, folder = founded(tmp_path_factory.mktemp("upgrade"))
    for path in folder.glob("*/stoa.toml"):
        if path.parent.name not in DOORS:
            path.write_text(path.read_text("utf-8").replace("gateway = true", "gateway = false"), "utf-8")
    try:
        answer("network", "up", "--detach", folder=folder)
        yield Running(folder)
    finally:
        answer("network", "down", folder=folder)
        assert not _alive(folder)


def versions(net: Running) -> dict[str, str]:
    """What `stoa network status` shows of each."""
    return {one["code"]: one["version"] for one in answer("network", "status", folder=net.folder)["members"]}


def heard(net: Running, code: str) -> dict[str, str]:
    """What the gateway of one shows of all."""
    told = ask_json(net.plan.member(code).port, "/v1/network")["members"]
    return {one["institution"]: one["version"] for one in told}


def test_one_after_another_is_upgraded_and_work_goes_on(
    net: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build, expected = next_build(tmp_path), dict.fromkeys(net.plan.codes, this.__version__)
    register(net.folder, "BEFORE")
    assert versions(net) == expected
    for number, code in enumerate(net.plan.codes):
        answer("network", "stop", code, "--part", "validator", folder=net.folder)
        if code != "PLATFORM":  # whose gateway it is
            height = register(net.folder, f"MID{number}")["receipt"]["height"]
            assert until(lambda at=height: agreed(net.folder, 4, at), LONG)  # type: ignore[misc]
        with monkeypatch.context() as patched:
            patched.setenv("PYTHONPATH", str(build))
            answer("network", "start", code, "--part", "validator", folder=net.folder)
        expected[code] = NEXT
        height = register(net.folder, f"NEW{number}")["receipt"]["height"]
        assert until(lambda at=height: agreed(net.folder, 5, at), LONG)  # type: ignore[misc]
        assert versions(net) == expected
        assert until(lambda: heard(net, "OTC-MARKET") == heard(net, "BROKER-B") == expected, LONG)
    for code in DOORS:
        assert ask_json(net.plan.member(code).port, "/v1/evidence")["count"] == 0, "a later version is no fault"
