"""Everything here needs an engine, so it is marked `engines` and left out of the default run; none may hang."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines.kafka import broker

__all__ = ["broker"]

MOST_SECONDS = 540
"""Of a test. The slowest, which kills a TaskManager in the first of seven jobs, took 217 and 225 s on two cores that
had other work beside it, and more than 300 s with another test of engines at the same time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what stands in this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engines)
            # By a signal, so that what a test has started is ended too.
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(MOST_SECONDS, method="signal"))
