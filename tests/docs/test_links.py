"""Links lead somewhere, every page is reached from the first one, and none tells where it was written."""

from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PAGES, anchors, links, name_of, text_of
from tests.house import tidy


def target_of(page: Path, target: str) -> tuple[Path, str]:
    path, _, anchor = target.partition("#")
    return (page.parent / path).resolve() if path else page, anchor


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        path, anchor = target_of(page, target)
        assert path.exists(), f"{target}: no such file"
        if anchor and path.suffix == ".md":
            assert anchor in anchors(path), f"{target}: no such heading, but {sorted(anchors(path))}"


def test_every_document_is_reached_from_the_first() -> None:
    reached, waiting = set[Path](), [DOCS / "README.md"]
    while waiting:
        page = waiting.pop()
        if page.suffix == ".md" and page.exists() and page not in reached:
            reached.add(page)
            waiting += [target_of(page, target)[0] for target in links(page)]
    assert not [name_of(page) for page in DOCS.rglob("*.md") if page not in reached]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_names_a_machine_or_a_registry(page: Path) -> None:
    assert not list(tidy.addresses(text_of(page)))
