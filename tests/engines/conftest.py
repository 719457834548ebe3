"""Everything here needs an engine, so it is marked `engines` and left out of the default run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines.kafka import broker

__all__ = ["broker"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what stands in this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engines)
