"""What several modules of tests ask of a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.store_reading import run_over, write_jsonl


@pytest.fixture(scope="module")
def at_once(rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of one run over all that the module's fixture `rows` gives."""
    folder = tmp_path_factory.mktemp("at_once")
    run_over(folder / "store", write_jsonl(folder / "all.jsonl", rows))
    return folder / "store"
