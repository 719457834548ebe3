"""Inputs made to break matching, small: they come out right, and what the caps left out is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.summary import summary_of
from tests.benchmarks.pathological import CASES
from tests.pipeline.store_reading import rows_of, run_over, write_jsonl

SIZES = {"identical": 400, "template": 300, "long": 60_000, "paragraph": 200, "paragraph1": 200}
COPIES = {"identical": 399, "template": 0, "long": 0, "paragraph": 0, "paragraph1": 0}


@pytest.mark.parametrize("case", SIZES)
def test_pathological_inputs(case: str, tmp_path: Path) -> None:
    """With a cap of 20 articles an anchor: 200 articles that share a paragraph are then a crowd."""
    rows = list(CASES[case][0](SIZES[case]))
    source = write_jsonl(tmp_path / "articles.jsonl", rows)
    manifest = run_over(tmp_path / "store", source, match__max_anchor_postings="20")
    assert manifest["counts"]["copies"] == COPIES[case]
    assert manifest["counts"]["clean"] == len(rows) - COPIES[case]
    assert len({row["kept_id"] for row in rows_of(tmp_path / "store", "labels")}) == len(rows) - COPIES[case]
    caps = manifest["caps"]
    assert (caps["capped"] > 0) == (case in ("template", "paragraph", "paragraph1"))
    if caps["capped"]:
        assert f"{caps['capped']:,}   of {caps['postings']:,} postings" in summary_of(manifest, "store")
    assert ("match.max_anchor_postings" in summary_of(manifest, "store")) == (caps["capped"] > 0)
