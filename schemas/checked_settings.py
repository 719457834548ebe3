"""What settings are made of: fields that carry their unit and their reason, and check themselves."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class SettingError(ValueError):
    """A setting is unknown or its value is wrong; the message says what was expected."""


@dataclass(frozen=True)
class Bound:
    """Smallest and largest allowed value, both included."""

    low: float
    high: float


def setting(default: Any, unit: str, why: str, *, bound: Bound | None = None, choices: tuple[str, ...] = ()) -> Any:
    """A dataclass field that carries its unit, the reason for its default, and what it accepts."""
    metadata = {"unit": unit, "why": why, "bound": bound, "choices": choices}
    if isinstance(default, (dict, list)):
        raise TypeError("settings are immutable: use a tuple")
    return field(default=default, metadata=metadata)


class Checked:
    """A group of settings: named NAMESettings, its settings are `name.setting`."""

    def __post_init__(self) -> None:
        for spec in dataclasses.fields(self):  # type: ignore[arg-type]
            if "unit" in spec.metadata:
                group = type(self).__name__.removesuffix("Settings").lower()
                _check(f"{group}.{spec.name}", getattr(self, spec.name), spec.metadata)


def _check(name: str, value: Any, metadata: Mapping[str, Any]) -> None:
    bound: Bound | None = metadata["bound"]
    if bound is not None and not (isinstance(value, (int, float)) and bound.low <= value <= bound.high):
        raise SettingError(f"{name} is {value!r}; expected a number from {bound.low:g} to {bound.high:g}")
    choices: tuple[str, ...] = metadata["choices"]
    if choices:
        for one in value if isinstance(value, tuple) else (value,):
            if one not in choices:
                near = difflib.get_close_matches(str(one), choices, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise SettingError(f"{name} is {one!r}; expected one of {', '.join(choices)}{hint}")
