"""Records that come as mappings, one by one, on their way into columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from schemas import reasons
from transforms.functions.field_lookup import ValueKindError, pick_identifier, pick_values
from transforms.functions.records import Records
from transforms.functions.refusals import Refusals, as_json


class GatheredRecords:
    """Records of one file or topic partition, gathered until they are taken as columns.

    Args:
        source_uri: where they come from.
        names: which names to look up for each field, in order (`records.aliases`).
        refusals: where those go that aren't of the kinds of values that an article has.
    """

    def __init__(self, source_uri: str, names: dict[str, tuple[str, ...]], refusals: Refusals) -> None:
        self._source_uri, self._names, self._refusals = source_uri, names, refusals
        self._clear()

    def __len__(self) -> int:
        return len(self._records)

    def _clear(self) -> None:
        self._records: list[dict[str, Any]] = []
        self._positions: list[int] = []
        self._columns: dict[str, list[str | None]] = {field: [] for field in self._names}

    def add(self, record: dict[str, Any], position: int) -> None:
        """Adds the record that stands at `position`, or refuses it."""
        try:
            values = pick_values(record, self._names)
            for value in values.values():
                if value is not None:
                    value.encode()
        except (ValueKindError, UnicodeEncodeError) as error:
            self._refusals.add(
                self._source_uri, position, pick_identifier(record, self._names), reasons.STAGE_READ,
                reasons.BAD_RECORD, str(error), as_json(record),
            )  # fmt: skip
            return
        for field, value in values.items():
            self._columns[field].append(value)
        self._positions.append(position)
        self._records.append(record)

    def take(self) -> Records:
        """All records so far, which are then forgotten here."""
        records = self._records
        columns = {field: pa.array(values, pa.string()) for field, values in self._columns.items()}
        taken = Records(
            np.array(self._positions, np.int64),
            columns,
            lambda row: as_json(records[row]),
            lambda row: list(records[row]),
        )
        self._clear()
        return taken
