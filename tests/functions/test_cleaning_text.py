from __future__ import annotations

import unicodedata
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.checked_settings import SettingError
from schemas.settings import CleanSettings
from schemas.tables import REMOVED
from transforms.functions.cleaning_text import CleanedTexts, clean_texts, normalise_texts
from transforms.functions.given_forms import LOST
from transforms.functions.rules import load_rules
from transforms.functions.unicode_text import normalise_text

SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"
BODY = [
    "Ministers met on Monday to discuss the new dam, which has divided the valley for years.",
    "“We will not sign,” the mayor told reporters after five hours of talks in the town hall.",
    "The company said it would wait for the court, and that it had no plans to leave.",
    "A second meeting is due next week, when engineers are to present their report.",
]


def clean(*texts: str | None, **options: object) -> CleanedTexts:
    none = pa.nulls(len(texts), pa.string())
    return clean_texts(pa.array(texts, pa.string()), none, none, CleanSettings(**options))  # type: ignore[arg-type]


def put_back(text: str, removed: list[dict[str, object]]) -> str:
    pieces, last = [], 0
    for span in sorted(removed, key=lambda span: int(str(span["at"]))):
        at = int(str(span["at"]))
        pieces += [text[last:at], str(span["text"])]
        last = at
    return "".join([*pieces, text[last:]])


def is_rebuilt(given_text: str, whole: str) -> bool:
    """Whether a text is a normalised one, but for entities escaped twice and C1 controls, which spans hold as given."""
    return given_text == whole or (bool(LOST.search(given_text)) and normalise_text(given_text) == whole)


@pytest.mark.parametrize(
    "furniture",
    [
        "Advertisement", "Story continues below advertisement", "Read More Valley & Coast", "Related Articles",
        "WATCH: Mayor answers questions about the dam – Jan 7, 2020", "Leave a Reply", "Back to top button",
        "Your email address will not be published.", "Want to discuss? Please read our Commenting Policy first.",
        "You are viewing an Accelerated Mobile Webpage.", "View Original Article", "Menu", "Topics", "Connect",
        "The mayor, right, and her deputy at the town hall in Alba. (Photo: ValleyTimes)",
        "(Additional reporting by Jane Doe in Alba, Writing by John Roe, Editing by Ann Poe)",
        "Jane Doe in Alba and agencies contributed to this story.", "إعلان", "اقرأ أيضا: أخبار السد",
    ],
)  # fmt: skip
def test_furniture_goes_and_the_story_stays(furniture: str) -> None:
    for place in (1, 2, len(BODY)):
        if place < len(BODY) and "contributed" in furniture:
            continue
        found = clean("\n\n".join([*BODY[:place], furniture, *BODY[place:]]))
        assert found.text[0].as_py() == "\n".join(BODY), furniture


def test_glued_furniture_goes() -> None:
    banner = (
        "This website uses cookies to improve your experience. We'll assume you're ok with this, but you can opt-out"
    )
    found = clean("\n".join([BODY[0] + "اضافة اعلان", *BODY[1:], banner + " if you wish. Accept Read More"]))
    assert found.text[0].as_py() == "\n".join(BODY)


def test_a_byline_is_lifted() -> None:
    found = clean(
        "\n".join(["Dam divides valley", "By Jane Doe in London | example.com | Updated: 2022-02-09 19:05", *BODY])
    )
    assert found.byline[0].as_py() == "Jane Doe"
    assert found.title[0].as_py() == "Dam divides valley"
    assert found.text[0].as_py() == "\n".join(["Dam divides valley", *BODY])


def test_levels_and_disabled_rules() -> None:
    text = "\n".join([BODY[0], "Advertisement", *BODY[1:]])
    assert clean(text, level="off").text[0].as_py() == text
    assert clean(text, disabled=("advert",)).text[0].as_py() == text
    assert clean(text, disabled=("en.ad.marker",)).text[0].as_py() == text
    with pytest.raises(SettingError, match="did you mean"):
        clean(text, disabled=("advrt",))


def test_no_article_is_emptied() -> None:
    text = "\n".join(["Advertisement", "Menu", "Related Articles", "A story."])
    found = clean(text, "Advertisement")
    assert found.text.to_pylist() == [text, "Advertisement"]
    for removed in found.removed.to_pylist():
        assert removed == [{"rule": "guard.kept_whole", "category": "flag", "at": 0, "text": ""}]
    assert found.removed_share.tolist() == [0, 0]


def test_columns() -> None:
    found = clean("\n".join([*BODY, "Advertisement"]), None, "漢字です ab")
    assert found.removed.type == REMOVED
    assert found.text[1].as_py() == ""
    assert found.words.tolist()[1:] == [0, CleanSettings().min_words]
    assert 0 < found.removed_share[0] < 0.1
    empty = clean()
    assert len(empty.text) == len(empty.removed) == len(empty.words) == 0
    with pytest.raises(ValueError, match="equal lengths"):
        clean_texts(pa.array(["a"]), pa.nulls(2, pa.string()), pa.nulls(1, pa.string()), CleanSettings())


def test_a_batch_gives_what_its_rows_give() -> None:
    texts = [
        "\n".join([*BODY, "Advertisement"]),
        "",
        "PARIS — " + BODY[0] + "\n" + BODY[1],
        "Menu\n" * 9 + "\n".join(BODY),
    ]
    together = clean(*texts)
    for row, text in enumerate(texts):
        alone = clean(text)
        for column in ("text", "removed", "title", "byline", "dateline", "dateline_date", "agency"):
            assert getattr(together, column)[row].as_py() == getattr(alone, column)[0].as_py()


fragments = st.sampled_from(
    [*BODY, *(text for rule in load_rules() for text in (*rule.match, *rule.keep)), "PARIS — ", "دبي (رويترز) - ",
     "\u0301e",
     "ا", "\u0654", "\n", " ", "x", "\x81", "&amp;#39;", "&amp;amp;lt=", "<p>", "</p>", '<img src="a&amp;lt;">',
     "<br/>",      "[", "](http://a.b/c)", "(https://a.b/c)", "![", "[b c=1]", "<script>", "</script>", "<!--", "-->"]
)  # fmt: skip


@given(
    st.lists(st.lists(fragments | st.text(max_size=12), max_size=12), max_size=3),
    st.sampled_from(["", " ", "\n", "\n\n"]),
)
@settings(max_examples=200, deadline=None)
def test_what_is_removed_can_be_put_back(parts: list[list[str]], joint: str) -> None:
    texts = [joint.join(part) for part in parts]
    for most in (0.6, 1.0):
        found = clean(*texts, max_removed_share=most)
        normal = normalise_texts(pa.array(texts, pa.string())).to_pylist()
        for text, removed, whole in zip(found.text.to_pylist(), found.removed.to_pylist(), normal, strict=True):
            assert is_rebuilt(put_back(text, removed), whole)
            assert unicodedata.is_normalized("NFC", text)
            assert "\n\n" not in text
            assert bool(text) == bool(whole)


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the seed articles are beside the repository only in development")
def test_the_seed_articles() -> None:
    gone = [
        "اعلان", "(Photo:", "Read More", "Menu", "Topics", "Commenting Policy", "WATCH:", "Story continues",
        "Advertisement",
        "Accelerated Mobile", "View Original", "Leave a Reply", "Your email", "Related Articles", "Back to top",
        "cookies",
        "chinadaily.com.cn", "Additional reporting", "contributed to this story", "PARIS —",
    ]  # fmt: skip
    files = sorted(SEEDS.glob("*.txt"))
    found = clean(*(file.read_text(encoding="utf-8") for file in files))
    for text in found.text.to_pylist():
        assert not [mark for mark in gone if mark in text]
        assert "Comments" not in text.split("\n")
    assert found.dateline.to_pylist()[0] == "PARIS"
    assert found.byline.to_pylist()[-1] == "Jonathan Powell"
    for file, text, removed in zip(files, found.text.to_pylist(), found.removed.to_pylist(), strict=True):
        whole = normalise_texts(pa.array([file.read_text(encoding="utf-8")]))[0].as_py()
        assert put_back(text, removed) == whole
        lost = {line for line in whole.split("\n") if len(line) > 130} - set(text.split("\n"))
        assert len(lost) <= 3, lost
