"""Whatever the network's commands show in a word or two has its Korean."""

import re
from pathlib import Path
from typing import get_args

from stoa.cli.network_words import KOREAN, worded
from stoa.network.processes import State

NETWORK = Path(__file__).resolve().parents[2] / "src/stoa/network"
TOLD = re.compile(r"told\([\w.]+, \S+, (.*)\)")


def test_what_becomes_of_a_program_has_its_korean() -> None:
    lines = [line for name in ("membership", "running") for line in TOLD.findall((NETWORK / f"{name}.py").read_text())]
    phrases = {phrase for line in lines for phrase in re.findall(r'"([^"]+)"', line)}
    assert "has caught up" in phrases
    assert {*phrases, *get_args(State)} <= KOREAN.keys()


def test_a_reader_of_another_language_and_a_word_without_korean_are_told_it_as_it_is() -> None:
    assert (worded("paused", "ko"), worded("paused", "en"), worded("KSD", "ko")) == ("일시 정지", "paused", "KSD")
