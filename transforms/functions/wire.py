from __future__ import annotations

import numpy as np
import pyarrow as pa

from transforms.functions.cutting import Spans
from transforms.functions.lines import LineTable
from transforms.functions.packed_text import PackedText
from transforms.functions.rules import Lifted

WIRE_RULES: dict[str, str] = {"wire.dateline": "dateline"}


def lift_wire(packed: PackedText, lines: LineTable, titles: pa.StringArray, cut: Spans, lifted: Lifted) -> Spans:
    return Spans(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int32))
