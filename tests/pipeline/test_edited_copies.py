"""Cut, added-to, embedded and re-led copies are found, brief or feature, English or Arabic: one whole run.

One story a cell, of edits far from the edge of what is found; `tests.benchmarks.edits` prints the whole tables.
"""

from __future__ import annotations

import pytest

from tests.benchmarks.edits import Cell, Outcome, measure

COPIES = set("enck")
FOUND = {
    "cut from the tail": (0.5, 0.9), "cut from the head": (0.7,), "cut from the middle": (0.5,),
    "paragraphs inserted": (1, 3), "words edited": (0, 0.05), "embedded in a longer text": (0.1, 0.5),
    "led anew": (1,),
}  # fmt: skip
CELLS = [
    Cell(language, edit, level, length)
    for language in ("en", "ar") for edit, levels in FOUND.items() for level in levels for length in (150, 400, 3000)
]  # fmt: skip


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return measure(CELLS, 1, tmp_path_factory.mktemp("edited"))


@pytest.mark.parametrize("edit", FOUND)
def test_an_edited_copy_is_found(edit: str, outcome: Outcome) -> None:
    """As a copy; a brief with a new lead may be partial, for half of it is new."""
    missed = {
        cell.name: dict(found)
        for cell, found in outcome.cells.items()
        if cell.edit == edit
        and not set(found) <= (COPIES | {"p"} if (edit, cell.length) == ("led anew", 150) else COPIES)
    }
    assert missed == {}


def test_no_story_is_linked_to_another(outcome: Outcome) -> None:
    assert outcome.false_links == 0
