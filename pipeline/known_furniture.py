"""What a store knows of its outlets' furniture, and how it is told."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.store import Store
from schemas.settings import FurnitureSettings, Settings
from transforms import staging
from transforms.functions.furniture import KNOWN, hash_lines, learn_furniture
from transforms.functions.furniture_spans import LEARNED, is_switched_off

SHOWN = 200
Line = tuple[str, int]


def learning_settings(store: Store, given: Mapping[str, str] = MappingProxyType({})) -> Settings:
    """The settings by which the newest run learned, and those given over them."""
    stored: dict[str, Any] = store.manifests[-1]["settings"] if store.manifests else {}
    names = [f"furniture.{field.name}" for field in dataclasses.fields(FurnitureSettings)]
    told = {name: str(stored[name]) for name in names if name in stored}
    if stored:
        told |= {"clean.level": stored["clean.level"], "clean.disabled": ",".join(stored["clean.disabled"])}
    return Settings().replace(told | dict(given))


def known_furniture(store: Store, settings: Settings) -> pa.Table:
    """The lines that are furniture by all that the store holds, as its newest run would take them out.

    Returns:
        KNOWN, by outlet and line; no line where that run's settings switch learned furniture off.
    """
    if is_switched_off(settings.clean):
        return KNOWN.empty_table()
    return learn_furniture(store.read("furniture"), settings.furniture)


def listed_furniture(store: Store, settings: FurnitureSettings) -> list[dict[str, Any]]:
    """The known lines with their texts and how often each was taken out; by outlet, the most frequent first."""
    known = learn_furniture(store.read("furniture"), settings).to_pylist()
    missing = {(row["source"], row["line"]) for row in known}
    texts: dict[Line, str] = {}
    taken = Counter[Line]()
    for path in reversed([*store.files("clean"), *store.files("copies")]):
        found = list(_taken_lines(staging.read_parquet(path, ["source", "removed"])))
        taken.update(line for line, _ in found)
        texts |= {line: text for line, text in found if line in missing}
        missing -= texts.keys()
    # What a guard kept everywhere (a credit, a quotation) stands in the texts.
    for path in reversed([*store.files("clean"), *store.files("copies")]):
        if missing:
            texts |= _standing_lines(staging.read_parquet(path, ["source", "text"]), missing)
            missing -= texts.keys()
    rows = [
        {**row, "taken": taken[row["source"], row["line"]], "text": texts.get((row["source"], row["line"]))}
        for row in known
    ]
    return sorted(rows, key=lambda row: (row["source"], -row["stories"], row["line"]))


def _taken_lines(articles: pa.Table) -> Iterator[tuple[Line, str]]:
    """Outlet and hash of every line taken out, with its text."""
    spans = articles.column("removed").combine_chunks()
    sources = articles.column("source").take(pc.list_parent_indices(spans))
    spans = spans.flatten()
    ours = pc.equal(spans.field("rule"), LEARNED)
    texts = pc.utf8_trim(spans.field("text").filter(ours), "\n")
    yield from zip(_lines(sources.filter(ours), _hashes(texts)), texts.to_pylist(), strict=True)


def _standing_lines(articles: pa.Table, wanted: set[Line]) -> dict[Line, str]:
    """Texts of wanted lines that stand in articles."""
    split = pc.split_pattern(articles.column("text"), "\n").combine_chunks()
    texts = split.flatten()
    hashes = _hashes(texts)
    at = np.flatnonzero(np.isin(hashes, np.array([line for _, line in wanted], np.uint64)))
    sources = articles.column("source").take(pc.list_parent_indices(split)).take(pa.array(at))
    found = zip(_lines(sources, hashes[at]), texts.take(pa.array(at)).to_pylist(), strict=True)
    return {line: text for line, text in found if line in wanted}


def _hashes(lines: pa.StringArray) -> npt.NDArray[np.uint64]:
    return hash_lines(lines).values.to_numpy()


def _lines(sources: pa.ChunkedArray, hashes: npt.NDArray[np.uint64]) -> list[Line]:
    return list(zip(sources.to_pylist(), hashes.tolist(), strict=True))


def told_furniture(rows: list[dict[str, Any]], settings: FurnitureSettings) -> str:
    """The listing for a person to read."""
    if not rows:
        return (
            f"No line is known as furniture: none stood at the edges of {settings.min_stories} stories of one outlet, "
            f"on {settings.min_days} days (furniture.min_stories, furniture.min_days). Undated articles count no day"
        )
    lines: list[str] = []
    counts = Counter(row["source"] for row in rows)
    for row in rows:
        if counts[row["source"]]:
            lines.append(f"{row['source']}: {counts.pop(row['source'])} line(s)")
        text = " ".join((row["text"] or "(its text is no longer in the store)").split())
        lines.append(f"  {text if len(text) <= SHOWN else text[:SHOWN] + '…'}")
        lines.append(
            f"    in {row['stories']:,} stories on {row['days']:,} days, {_day(row['first_day'])} to "
            f"{_day(row['last_day'])}: {row['share']:.1%} of the outlet's articles; at an edge in "
            f"{row['edge_share']:.0%} of the articles that have it; taken out {row['taken']:,} times"
        )
    return "\n".join(lines)


def _day(number: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()
