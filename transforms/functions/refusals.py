"""Refused records, collected row by row and handed over as one batch of `rejected/`."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import orjson
import pyarrow as pa

from schemas.tables import REJECTED

REFUSED = pa.schema([field for field in REJECTED if field.name not in ("run_id", "schema_version")])
"""`rejected/` as a function knows it: a run adds its own id and the schema's version."""

MESSAGE_CHARACTERS = 600
"""Room for a sentence of ours and a value of theirs; what was given stands in the payload."""

_HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def harmless(text: str) -> str:
    """`text` on one line, with control, direction and surrogate characters written as escapes, cut at a limit."""
    shown = _HARMFUL.sub(lambda found: f"\\u{ord(found.group()):04x}", text[: 2 * MESSAGE_CHARACTERS])
    return shown if len(shown) <= MESSAGE_CHARACTERS else shown[: MESSAGE_CHARACTERS - 1] + "…"


def stored_uri(uri: str) -> str:
    """A file's path as `rejected/` names it: with escapes where it has characters that could harm a reader."""
    return harmless(uri) if _HARMFUL.search(uri) else uri


def as_json(record: Mapping[str, Any]) -> bytes:
    """A record of a form that isn't text, as a payload: JSON of what it holds, without nulls.

    Numbers keep their digits; bytes are text where they are UTF-8, else base64; what JSON has no form for is written
    as text.
    """
    given = {name: value for name, value in record.items() if value is not None}
    try:
        return orjson.dumps(given, default=_plain)
    except orjson.JSONEncodeError:  # a number of more than 64 bits, a lone surrogate, keys that aren't text
        return json.dumps({name: _jsonable(value) for name, value in given.items()}).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview)):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    return str(value)


def _jsonable(value: Any) -> Any:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return _plain(value)
    return value


class Refusals:
    """Rows of `REFUSED`, in the order they were added."""

    def __init__(self, payload_bytes: int) -> None:
        self._payload_bytes = payload_bytes
        self._columns: dict[str, list[object]] = {name: [] for name in REFUSED.names}

    def __len__(self) -> int:
        return len(self._columns["reason"])

    def add(
        self,
        source_uri: str,
        position: int,
        source_id: str | None,
        stage: str,
        reason: str,
        message: str,
        payload: bytes | None,
        digest: str | None = None,
    ) -> None:
        """Adds one row.

        Args:
            source_uri: the file.
            position: where the record stands in it, -1 for the whole file.
            source_id: the giver's own id, where it could be read.
            stage: one of `schemas.reasons.STAGES`.
            reason: one of `schemas.reasons.REASONS`.
            message: what was wrong, for a reader; made harmless here.
            payload: the record's bytes, cut here at `read.payload_bytes`.
            digest: SHA-256 in hex of the whole payload where only its head is passed.
        """
        if digest is None and payload is not None:
            digest = hashlib.sha256(payload).hexdigest()
        row: dict[str, object] = {
            "source_uri": stored_uri(source_uri),
            "position": position,
            "source_id": source_id,
            "stage": stage,
            "reason": reason,
            "message": harmless(message),
            "payload": None if payload is None else payload[: self._payload_bytes],
            "payload_sha256": digest,
        }
        for name, value in row.items():
            self._columns[name].append(value)

    def batch(self) -> pa.RecordBatch:
        """All rows so far as a batch of schema `REFUSED`."""
        arrays = [pa.array(self._columns[field.name], field.type) for field in REFUSED]
        return pa.RecordBatch.from_arrays(arrays, schema=REFUSED)

    def take(self) -> pa.RecordBatch:
        """All rows so far, which are then forgotten here."""
        taken = self.batch()
        for column in self._columns.values():
            column.clear()
        return taken
