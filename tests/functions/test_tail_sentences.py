from __future__ import annotations

import pyarrow as pa
import pytest

from schemas.settings import CleanSettings
from transforms.functions.cleaning_text import clean_texts

BODY = " ".join(
    f"The council voted on Tuesday to rebuild bridge number {n}, which was closed after the flood, and said that it "
    "would cost a tenth of its budget."
    for n in range(8)
)


def cleaned(text: str) -> str:
    none = pa.nulls(1, pa.string())
    text_left: str = clean_texts(pa.array([text]), none, none, CleanSettings()).text[0].as_py()
    return text_left


@pytest.mark.parametrize(
    "tail",
    ["CLICK HERE TO GET THE NEWS APP", "The Associated Press contributed to this report.",
     "Sharing is caring! Follow us on Twitter @OurPaper.", "Additional reporting by Jane Doe"],
)  # fmt: skip
def test_furniture_glued_to_a_text_without_lines_goes(tail: str) -> None:
    assert cleaned(f"{BODY} {tail}") == BODY


def test_sentences_before_the_last_one_of_the_story_stay() -> None:
    kept = f"{BODY} Sharing is caring! That was the mayor’s motto, and he kept to it."
    assert cleaned(kept) == kept
    short = "The vote was close on Tuesday. The Associated Press contributed to this report."
    assert cleaned(short) == short


def test_a_text_of_nothing_else_keeps_its_first_sentence() -> None:
    tails = " ".join(["The Associated Press contributed to this report."] * 30)
    assert cleaned(tails)
