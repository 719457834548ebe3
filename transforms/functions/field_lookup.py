"""A record's fields under whatever name and kind they were given: the first name present and not null wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

_KINDS = {"dict": "an object", "list": "a list", "tuple": "a list"}


class ValueKindError(ValueError):
    """A field holds something other than text, a number or a date."""


def pick_values(record: Mapping[str, Any], names: Mapping[str, Sequence[str]]) -> dict[str, str | None]:
    """Each field's value as text, None where it was not given.

    A list of one stands for its element and an empty one for nothing; a source that is an object stands for its
    `name`, as news services give it.

    Raises:
        ValueKindError: a value is another list or object, a truth value or binary.
    """
    found: dict[str, str | None] = {}
    for field, field_names in names.items():
        found[field] = None
        for name in field_names:
            value = record.get(name)
            if isinstance(value, (list, tuple, dict)):
                value = _unwrapped(field, value)
            if value is not None and value == value:  # not a number: nothing was given
                found[field] = value if type(value) is str else _as_text(name, value)
                break
    return found


def pick_identifier(record: Mapping[str, Any], names: Mapping[str, Sequence[str]]) -> str | None:
    """The giver's own id, for a record that is refused for something else; None where that can't be read either."""
    try:
        return pick_values(record, {"id": names["id"]})["id"]
    except ValueKindError:
        return None


def _unwrapped(field: str, value: Any) -> Any:
    if isinstance(value, (list, tuple)) and len(value) <= 1:
        value = value[0] if value else None
    return value["name"] if field == "source" and isinstance(value, dict) and "name" in value else value


def pick_column(columns: Sequence[pa.Array]) -> pa.Array:
    """The first value of each row that is not null, from columns of one type in the order of their names."""
    if len(columns) == 1 or columns[0].null_count == 0:
        return columns[0]
    return pc.coalesce(*columns)


def _as_text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        raise ValueKindError(f"{name} is {str(value).lower()}; expected text")
    if isinstance(value, (int, float, Decimal, UUID)):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat() if value.tzinfo else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            raise ValueKindError(f"{name} holds bytes that are not UTF-8") from None
    kind = _KINDS.get(type(value).__name__, f"a {type(value).__name__}")
    raise ValueKindError(f"{name} is {kind}; expected text")
