"""Sketch files that the threads of one worker share."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa

from schemas.tables import SKETCH
from tests.functions.made_up import Article, sketch_files, text_of
from transforms.functions.sketch_files import SketchFile


def test_threads_read_and_pack_the_same_columns() -> None:
    """What one thread holds packed, and drops as a column, another may just be reading as a column."""
    whole = sketch_files([[Article(str(n), text_of(n, 60), n) for n in range(20)]]).table(0)

    def slowly(_path: str, columns: Sequence[str]) -> pa.Table:
        table = whole.select(columns)
        time.sleep(0.001)  # hands the interpreter to another thread
        return table

    def use(file: SketchFile, number: int) -> int:
        if number % 2:
            return len(file.packed("words")[0])
        return len(file.table(["words", "anchors", "day"]).column("words").combine_chunks().flatten())

    expected = len(whole.column("words").combine_chunks().flatten())
    with ThreadPoolExecutor(8) as threads:
        for _ in range(50):
            file = SketchFile("any", slowly)
            assert set(threads.map(use, [file] * 16, range(16))) == {expected}
    assert set(whole.column_names) == set(SKETCH.names)
