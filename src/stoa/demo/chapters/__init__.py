"""The chapters of the story, one file each, in the order of the security's life."""

from collections.abc import Callable
from typing import Final

from stoa.demo.chapters import control, creation, income, offering, people, proof, trading
from stoa.demo.story import Story

CHAPTERS: Final[tuple[Callable[[Story], None], ...]] = (
    creation.tell,
    people.tell,
    offering.tell,
    trading.tell,
    income.tell,
    control.tell,
    proof.tell,
)
