"""A member's real folder, restored: of all that founding and running put there, what is left behind is named here."""

import shutil
from pathlib import Path

from stoa.network.plan import Plan
from stoa.node.lost_votes import LostVotes
from tests.cli.test_commands import answer, stoa
from tests.docs.pages import DOCS, text_of


def files(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}


def test_a_members_folder_comes_back_whole(network: tuple[Plan, Path], tmp_path: Path) -> None:
    _, root = network
    copy = tmp_path / "copy"
    shutil.copytree(root / "BROKER-A", copy)
    folder = tmp_path / "new" / "BROKER-A"
    code, out, errors = stoa("restore", copy, folder=folder)
    assert code == 0, errors
    assert "ordering server, then its validator" in out
    assert files(folder) - files(copy) == {"votes-lost"}
    assert {name.split("/")[0] for name in files(copy) - files(folder)} <= {"state"}
    assert LostVotes(folder).why is not None
    assert all(one.stat().st_mode & 0o077 == 0 for one in (folder, *folder.rglob("*")))
    status = answer("network", "status", folder=folder.parent)
    assert [one["code"] for one in status["members"]] == ["BROKER-A"]


def test_the_guide_names_what_is_there(network: tuple[Plan, Path]) -> None:
    guide = text_of(DOCS / "guides/backup-and-restore.md")
    for path in (network[1] / "BROKER-A").iterdir():
        said = f"`{path.name}{'/' * path.is_dir()}`" in guide
        assert said or path.suffix == ".lock", path.name
