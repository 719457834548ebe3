"""Quality never falls: the outside scorers' figures on the developers' data against floors that only rise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.store import Store
from tests.benchmarks.kills import broken
from tests.quality import clean_sets, lost_sentences, measuring

FLOORS = json.loads((Path(__file__).parent / "floors.json").read_text(encoding="utf-8"))

pytestmark = pytest.mark.skipif(not measuring.is_here(), reason="the measuring data (../shared/eval) is not here")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("quality")


def test_the_data_is_the_data_the_floors_were_measured_on() -> None:
    assert measuring.data_digest() == FLOORS["data_sha256"], "other data: measure anew, and write other floors"


@pytest.mark.parametrize("name", sorted(FLOORS["sets"]))
def test_figures_hold(name: str, folder: Path) -> None:
    figures: dict[str, Any] = measuring.figures_of(name, folder)
    bounds = FLOORS["sets"][name]
    below = {
        path: (measuring.look_up(figures, path), floor)
        for path, floor in bounds["at_least"].items()
        if measuring.look_up(figures, path) < floor
    }
    above = {
        path: (measuring.look_up(figures, path), most)
        for path, most in bounds["at_most"].items()
        if measuring.look_up(figures, path) > most
    }
    assert below == {}
    assert above == {}
    assert figures["accounting"]["sums"] if "accounting" in figures else True
    assert broken(Store(str(measuring.store_of(name, folder)))) == []


def test_hardly_a_document_loses_a_sentence_that_readers_call_body(folder: Path) -> None:
    """The labels call furniture body that they don't know; what nobody has read counts as lost."""
    measuring.figures_of(lost_sentences.SET, folder)
    lost = lost_sentences.lost_in(measuring.store_of(lost_sentences.SET, folder))
    assert lost_sentences.shares(lost)[1] <= FLOORS["sentence_lost_by_reading"]


def test_every_extractor_is_better_for_it() -> None:
    """Texts that 32 extractors left of the same pages: cleaned, each one's are nearer to the typed body."""
    figures = clean_sets.figures_of("scrapinghub")
    assert {name: group["gain"] for name, group in figures["groups"].items() if group["gain"] < 0} == {}
    assert len(figures["groups"]) == 32
    assert figures["reversible"]["loose"] == 1.0
    assert figures["mean_over_extractor"]["f1_after"] >= FLOORS["scrapinghub_mean_over_extractors"]
