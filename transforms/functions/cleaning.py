"""From raw records to cleaned articles: the plain twin of `transforms.clean_articles`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas import reasons
from schemas.settings import Settings
from schemas.tables import CLEANED, RAW
from transforms.functions.agencies import split_byline
from transforms.functions.cleaning_text import clean_texts
from transforms.functions.dates import parse_dates
from transforms.functions.extraction import PageExtractor
from transforms.functions.refusals import Refusals


@dataclass(frozen=True)
class CleanBatch:
    """Cleaned articles (CLEANED), the share of each text that was removed (float32), and refused records (REFUSED)."""

    cleaned: pa.RecordBatch
    removed_share: npt.NDArray[np.float32]
    refused: pa.RecordBatch


def clean_batch(raw: pa.RecordBatch, settings: Settings, extractor: PageExtractor) -> CleanBatch:
    """Cleans a batch: pages are extracted first, then text is cleaned; what has too few words left is refused.

    Args:
        raw: RAW, n rows.
        extractor: used only if a row has a page.
    """
    refusals = Refusals(settings.read.payload_bytes)
    raw, page_bylines = extract_pages(raw, extractor, refusals)
    cleaned = clean_texts(raw.column("text"), raw.column("title"), raw.column("language"), settings.clean)
    enough = cleaned.words >= settings.clean.min_words
    for row in np.flatnonzero(~enough).tolist():
        refuse(
            refusals, raw, row, reasons.TOO_SHORT if cleaned.words[row] else reasons.NO_TEXT,
            f"{cleaned.words[row]} words are left after cleaning; expected at least {settings.clean.min_words} "
            "(clean.min_words)", raw.column("text")[row].as_py(),
        )  # fmt: skip
    people, agencies = split_bylines(page_bylines)
    columns = {name: raw.column(name) for name in CLEANED.names if name in RAW.names} | {
        "text": cleaned.text, "title": cleaned.title, "language": cleaned.language,
        "byline": pc.coalesce(cleaned.byline, raw.column("byline"), people), "dateline": cleaned.dateline,
        "dateline_date": cleaned.dateline_date,
        "agency": pc.coalesce(cleaned.agency, raw.column("agency"), agencies), "removed": cleaned.removed,
    }  # fmt: skip
    batch = pa.RecordBatch.from_arrays([columns[name] for name in CLEANED.names], schema=CLEANED)
    keep = pa.array(enough)
    return CleanBatch(batch.filter(keep), cleaned.removed_share[enough], refusals.batch())


def split_bylines(bylines: pa.StringArray) -> tuple[pa.StringArray, pa.StringArray]:
    """The people and the agencies of bylines that pages state."""
    if bylines.null_count == len(bylines):
        return bylines, bylines
    parts = [split_byline(byline) if byline else (None, None) for byline in bylines.to_pylist()]
    return pa.array([name for name, _ in parts], pa.string()), pa.array([agency for _, agency in parts], pa.string())


def refuse(refusals: Refusals, raw: pa.RecordBatch, row: int, reason: str, message: str, payload: str | None) -> None:
    """Refuses one row of a raw batch at the cleaning stage."""
    uri, position, source_id = (raw.column(name)[row].as_py() for name in ("source_uri", "position", "source_id"))
    content = None if payload is None else payload.encode("utf-8", "replace")
    refusals.add(uri, position, source_id, reasons.STAGE_CLEAN, reason, message, content)


def extract_pages(
    raw: pa.RecordBatch, extractor: PageExtractor, refusals: Refusals
) -> tuple[pa.RecordBatch, pa.StringArray]:
    """The batch with the text of its pages in `text`, and the bylines that pages state.

    Pages without an article are refused and left out. What a page says of itself (title, date, outlet, language)
    fills only what the record lacks. A page's own date that can't be read is no reason to refuse it.
    """
    rows = np.flatnonzero(pc.and_(pc.is_null(raw.column("text")), pc.is_valid(raw.column("html"))).to_numpy(False))
    if not len(rows):
        return raw, pa.nulls(raw.num_rows, pa.string())
    columns = {name: raw.column(name).to_pylist() for name in ("text", "title", "language", "source", "url")}
    html, urls = raw.column("html"), raw.column("url")
    keep = np.ones(raw.num_rows, np.bool_)
    pages, addresses = ([column[row].as_py() for row in rows.tolist()] for column in (html, urls))
    found = extractor.extract(pages, addresses)
    published: list[str | None] = [None] * raw.num_rows
    bylines: list[str | None] = [None] * raw.num_rows
    for row, page in zip(rows.tolist(), found, strict=True):
        if page.text is None:
            keep[row] = False
            refuse(refusals, raw, row, page.error or reasons.EXTRACTION_FAILED, page.message or "", html[row].as_py())
            continue
        columns["text"][row] = page.text
        for name, value in (
            ("title", page.title), ("language", page.language), ("source", page.source), ("url", page.url),
        ):  # fmt: skip
            columns[name][row] = columns[name][row] or value
        published[row], bylines[row] = page.published, page.byline
    dates, _ = parse_dates(pa.array(published, pa.string()))
    filled = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    filled["published_at"] = pc.coalesce(raw.column("published_at"), dates)
    arrays = [filled.get(name, raw.column(name)) for name in RAW.names]
    batch = pa.RecordBatch.from_arrays(arrays, schema=RAW).filter(pa.array(keep))
    return batch, pa.array(bylines, pa.string()).filter(pa.array(keep))
