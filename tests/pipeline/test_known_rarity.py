"""What a stream's workers know of rarity: the tables of a run over the same articles, and when they count anew."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from pipeline import known_rarity
from pipeline.known_rarity import StoreRarity
from pipeline.store import Store
from schemas.settings import Settings
from tests.benchmarks.month import month_of
from tests.pipeline.store_reading import run_over, write_jsonl
from transforms.functions.sketch_files import days_of


def test_tables_are_counted_when_the_store_has_grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_rarity, "FEWEST", 30)
    store = tmp_path / "store"
    known = pickle.loads(pickle.dumps(StoreRarity(str(store), Settings().match)))
    days = month_of(2, 40)
    run_over(store, write_jsonl(tmp_path / "0.jsonl", days[0]))
    stretch = int(np.median(days_of(Store(str(store)).read("sketches", ["day"])))) // 30
    first = known.tables()
    seen = first.surroundings(stretch)[1]
    assert seen.max() == 1, "one day was given"
    run_over(store, write_jsonl(tmp_path / "1.jsonl", days[1][:5]))
    assert known.tables() is first, "counted anew for a few articles"
    run_over(store, write_jsonl(tmp_path / "2.jsonl", days[1]))
    later = known.tables().surroundings(stretch)[1]
    assert later.max() >= 2
    assert (later > 0).sum() > (seen > 0).sum()
