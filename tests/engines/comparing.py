"""Whether two stores hold the same, bit for bit in what the contract names."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from pipeline.compare import compare
from pipeline.store import Store
from pipeline.verify import verify
from schemas.tables import STORE_TABLES

OF_THE_RUN = ("run_id", "ingested_at")
"""Columns that tell which run wrote a row, and when; all others are compared, rows in their order."""


def rows(store: Path | str, table: str) -> pa.Table:
    """All rows of a table, without what tells of the run."""
    read = Store(str(store)).read(table)
    return read.select([name for name in read.column_names if name not in OF_THE_RUN]).combine_chunks()


def differences(left: Path | str, right: Path | str) -> list[str]:
    """What differs between two stores, and what is broken in the right one; empty where all is well."""
    found = [] if compare(Store(str(left)), Store(str(right))).same else ["copydesk compare finds them different"]
    for table in STORE_TABLES:
        one, other = rows(left, table), rows(right, table)
        if not one.num_rows and table in ("clean", "labels", "sketches"):
            found.append(f"{table} is empty: nothing is compared")
        if not one.equals(other):
            columns = [name for name in one.column_names if not one.column(name).equals(other.column(name))]
            found.append(f"{table}: {one.num_rows} and {other.num_rows} rows, different in {', '.join(columns)}")
    return found + [f"{promise}: {broken[0]}" for promise, broken in verify(Store(str(right))) if broken]
