"""Persian, Urdu, Chinese, Japanese, Thai: what shingles find of copies with small edits, and that others stay apart."""

from __future__ import annotations

import random

import pytest

from tests.functions.made_up import Article, labels_by_id, plain_run
from tests.seeds_build import OTHER_SCRIPTS

LANGUAGES = list(OTHER_SCRIPTS)


def edited(text: str, count: int, seed: str) -> str:
    """The text with so many letters, anywhere, taken out or put twice: typing errors and their corrections."""
    chance, letters = random.Random(seed), list(text)
    for at in chance.sample([at for at, letter in enumerate(text) if letter.isalpha()], count):
        letters[at] = chance.choice(("", letters[at] * 2))
    return "".join(letters)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_copy_with_small_edits_is_near(language: str) -> None:
    """A typing error in every sixty letters, at ten different sets of places."""
    text = OTHER_SCRIPTS[language]["text"].strip()
    for trial in range(10):
        copy = edited(text, len(text) // 60, f"{language} {trial}")
        catalogue, related, _ = plain_run([[Article("wire", text), Article("copy", copy, day=20_001)]])
        relations = sorted(label.relation for label in labels_by_id(catalogue, related).values())
        assert relations in (["kept", "near"], ["contained", "kept"]), trial


@pytest.mark.parametrize("language", LANGUAGES)
def test_different_articles_have_next_to_nothing_in_common(language: str) -> None:
    texts = OTHER_SCRIPTS[language]
    articles = [Article(name, texts[name].strip()) for name in ("text", "other", "short", "short_other")]
    catalogue, related, _ = plain_run([articles])
    assert labels_by_id(catalogue, related) == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notice_is_a_copy_only_if_it_is_nearly_the_same(language: str) -> None:
    """The same notice set with other spaces and signs is exact; the same with its second half changed is none."""
    texts = OTHER_SCRIPTS[language]
    notice, other = texts["short"], texts["short_other"]
    respaced = notice.replace("،", " ,").replace("，", " ").replace("、", "").replace("。", " .").rstrip(".۔。")
    half = notice[: len(notice) // 2] + other[len(other) // 2 :]
    articles = [Article("notice", notice), Article("respaced", respaced, day=20_001), Article("half", half)]
    catalogue, related, _ = plain_run([articles])
    labels = labels_by_id(catalogue, related)
    by_name = {one.name: labels[one.id] for one in articles if one.id in labels}
    assert sorted(by_name[name].relation for name in ("notice", "respaced")) == ["exact", "kept"]
    assert "half" not in by_name or by_name["half"].kept == articles[2].id
