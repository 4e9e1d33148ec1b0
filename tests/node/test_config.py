"""The settings file: what it may name, and what to do about what it may not name any more."""

from pathlib import Path

import pytest

from stoa.node.config import FILE, BadConfig, Config, load_config, write_config


def test_what_is_written_is_read(tmp_path: Path) -> None:
    config = Config("KSD", 7_123, processes=2, gateway=False)
    write_config(tmp_path, config)
    assert load_config(tmp_path) == config


@pytest.mark.parametrize("name", ["checkpoint_blocks", "replicas_of_bodies"])
def test_what_the_members_vote_on_is_no_setting(tmp_path: Path, name: str) -> None:
    write_config(tmp_path, Config("KSD"))
    file = tmp_path / FILE
    file.write_text(f"{name} = 3\n" + file.read_text())
    with pytest.raises(BadConfig, match=f"{name} is a parameter that the members vote on.*take the line out"):
        load_config(tmp_path)


def test_an_unknown_name_is_refused_by_name(tmp_path: Path) -> None:
    write_config(tmp_path, Config("KSD"))
    file = tmp_path / FILE
    file.write_text("colour = 3\n" + file.read_text())
    with pytest.raises(BadConfig, match="colour"):
        load_config(tmp_path)
