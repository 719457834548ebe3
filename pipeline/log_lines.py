"""Lines on standard error, for a person or, with `--log-format json`, one JSON object each."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

TEXT, JSON = "text", "json"


def log_line(form: str, level: str, message: str, **fields: Any) -> str:
    """One line without its end: as text the message alone, as JSON with the time (UTC), the level and the fields."""
    if form == TEXT:
        return f"copydesk: {message}"
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps({"time": time, "level": level, "message": message, **fields}, ensure_ascii=False, default=str)


class JsonFormatter(logging.Formatter):
    """What libraries log, as JSON lines."""

    def format(self, record: logging.LogRecord) -> str:
        return log_line(JSON, record.levelname.lower(), record.getMessage(), logger=record.name)
