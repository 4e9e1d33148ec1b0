"""Words: both catalogues say the same things, templates ask for nothing else, and a request gets its language."""

import re
from pathlib import Path
from string import Formatter

import pytest

from stoa.ledger.catalog import INSTRUCTION_BY_TAG
from stoa.ledger.compliance.facts import FACTS
from stoa.ledger.compliance.model import PHASES
from stoa.web.conditions import condition
from stoa.web.language import WORDS, chosen
from stoa.web.page import TEMPLATES

ASKED = re.compile(r"""\bt\((["'])([a-z_.]+)\1(?! ~)""")
FAMILIES = re.compile(r"""\bt\((["'])([a-z_.]+)\1 ~|\bt\.named\((["'])([a-z_]+)\3""")


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_both_languages_have_the_same_words_with_the_same_figures() -> None:
    en, ko = WORDS["en"].entries, WORDS["ko"].entries
    assert en.keys() == ko.keys()
    assert not [name for name in en if fields(en[name]) != fields(ko[name])]


def test_templates_ask_for_words_that_exist_and_no_word_is_idle() -> None:
    entries = WORDS["en"].entries
    templates = "".join(path.read_text(encoding="utf-8") for path in sorted(TEMPLATES.glob("*.html")))
    code = "".join(path.read_text(encoding="utf-8") for path in sorted(Path(TEMPLATES).parent.glob("*.py")))
    asked = {name for _, name in ASKED.findall(templates)}
    assert not sorted(asked - entries.keys())
    families = {(prefix or f"{family}.") for _, prefix, _, family in FAMILIES.findall(templates)}
    families |= {"fact.", "verb.", "eligibility.", "rule."}
    idle = [name for name in entries if name not in asked and not name.startswith(tuple(families)) and name not in code]
    assert not idle


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_kind_of_the_ledger_has_a_word(language: str) -> None:
    words = WORDS[language]
    names = [f"verb.{tag}" for tag in INSTRUCTION_BY_TAG] + [f"fact.{name}" for name in FACTS]
    names += [f"phase.{name}" for name in PHASES]
    assert not [name for name in names if name not in words.entries]


@pytest.mark.parametrize(
    ("asked", "remembered", "accepted", "wanted"),
    [
        (None, None, "", "en"),
        (None, None, "ko-KR,ko;q=0.9,en;q=0.5", "ko"),
        (None, None, "en;q=0.2,ko;q=0.8", "ko"),
        (None, None, "fr, de;q=0.5", "en"),
        (None, None, "ko;q=x", "en"),
        (None, "ko", "en", "ko"),
        ("en", "ko", "ko", "en"),
        ("xx", None, "ko", "ko"),
    ],
)
def test_the_language_is_the_one_asked_for(
    asked: str | None, remembered: str | None, accepted: str, wanted: str
) -> None:
    assert chosen(asked, remembered, accepted) == wanted


def test_a_condition_reads_as_a_line() -> None:
    tree = [
        "any",
        [["not", ["is", "receiver.country", "in", ["US", "JP"]]], ["is", "holders.country.after.US", "<=", 5]],
    ]
    words = WORDS["en"]
    assert condition(tree, words) == "not (receiver's country ∈ {US, JP}) or holders in US after ≤ 5"
    assert condition(["all", []], words) == ""
    assert condition(["any", []], words) == "never"
