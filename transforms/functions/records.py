"""Records of any form, column by column, into batches of `schemas.tables.RAW`: the checks that all forms share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas import reasons
from schemas.checked_settings import SettingError
from schemas.settings import ReadSettings
from schemas.tables import FIELD_ALIASES, RAW, TIMESTAMP
from transforms.functions.article_ids import article_ids
from transforms.functions.dates import EXAMPLES, in_range, parse_dates
from transforms.functions.language import normalise_languages
from transforms.functions.refusals import Refusals

HOST = r"^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/@?#]*@)?(?:[Ww]{3}\.)?(?P<host>[^/:?#@\s]+\.[^/:?#@\s]+?)\.?(?:[:/?#]|$)"
"""RE2: the host of an URL without a leading "www."."""

HOST_CHARACTERS = 4096
"""Of an URL, in which its host stands: a name has 253 at most, and one of 9 MB took 1.5 seconds."""


MOST_NAMES, NAME_CHARACTERS = 10, 24
"""Shown of the fields that a record has: a message of 600 characters has room for them and for what was expected."""


@dataclass(frozen=True)
class Records:
    """Some records of one file, as given.

    `positions` are int64. `columns` holds a string array for each field that the records have (`published_at` may be
    a timestamp array instead); what is missing was not given. `payload` gives a record's bytes by its row, and
    `seen` the names of the fields that it has; without it a record is a file or a page, which has none.
    """

    positions: npt.NDArray[np.int64]
    columns: dict[str, pa.Array]
    payload: Callable[[int], bytes]
    seen: Callable[[int], Sequence[str]] | None = None


def aliases(settings: ReadSettings) -> dict[str, tuple[str, ...]]:
    """Names to look up for each field, in order: those of `read.fields` first.

    Raises:
        SettingError: an entry is not FIELD=NAME with a known field.
    """
    names = dict(FIELD_ALIASES)
    for entry in reversed(settings.fields):
        field, sign, name = (part.strip() for part in entry.partition("="))
        if not sign or not name or field not in FIELD_ALIASES:
            known = ", ".join(FIELD_ALIASES)
            raise SettingError(f"read.fields has {entry!r}; expected FIELD=NAME with FIELD one of {known}")
        names[field] = (name, *(one for one in names[field] if one != name))
    return names


def has_content(names: Sequence[str], wanted: dict[str, tuple[str, ...]]) -> bool:
    """Whether a file with these columns can give articles at all: texts, pages, or headlines alone.

    A title is an article only where nothing among the names could be its text under another name: such a file would be
    read as headlines, and nobody would notice.
    """
    if any(name in names for field in ("text", "html") for name in wanted[field]):
        return True
    known = {name for field in wanted.values() for name in field}
    return any(name in names for name in wanted["title"]) and known.issuperset(names)


def no_content_message(what: str, names: Sequence[str], wanted: dict[str, tuple[str, ...]]) -> str:
    """What to tell the giver of `what` ("the file", "the record") that holds neither text nor page.

    Args:
        names: of the fields or columns that it has.
        wanted: the names looked up, from `aliases`.
    """
    known = [*wanted["text"], *wanted["html"]]
    empty = [name for name in names if name in known]
    if empty:
        return f"{what} has no text: nothing stands in {', '.join(empty)}"
    found = [name if len(name) <= NAME_CHARACTERS else name[:NAME_CHARACTERS] + "…" for name in names[:MOST_NAMES]]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return (
        f"{what} has no field for the article's text: found {', '.join(found) or 'none'}{more}; "
        f"expected one of {', '.join(known)}, or name yours with --field text=NAME"
    )


def raw_batch(records: Records, source_uri: str, settings: ReadSettings, refusals: Refusals) -> pa.RecordBatch:
    """The records that are articles as a batch of schema `RAW`; the others go to `refusals`.

    Refused are, in this order: `too_large` (all fields together above `read.max_record_bytes`), `no_text` and
    `bad_date`. `source` is taken from the host of `url` where it was not given. A headline without a text is its own
    text: it is compared as any other short text is, exactly or nearly so.
    """
    rows = len(records.positions)
    given = {name: _filled(records.columns.get(name), rows) for name in FIELD_ALIASES if name != "published_at"}
    text, html = given["text"], given["html"]
    dates = records.columns.get("published_at")
    published, undated = _published(dates, rows)
    size = sum((_bytes(column) for column in given.values()), np.zeros(rows, np.int64))
    refused = np.zeros(rows, np.bool_)

    def refuse(mask: npt.NDArray[np.bool_], reason: str, message: Callable[[int], str]) -> None:
        for row in np.flatnonzero(mask & ~refused).tolist():
            refusals.add(
                source_uri,
                int(records.positions[row]),
                given["id"][row].as_py(),
                reasons.STAGE_READ,
                reason,
                message(row),
                records.payload(row),
            )
        refused[mask] = True

    refuse(size > settings.max_record_bytes, reasons.TOO_LARGE, lambda row: too_large_message(int(size[row]), settings))
    title = one_line(given["title"])
    nothing = np.asarray(pc.and_(text.is_null(), html.is_null()))
    alone = _headlines(records, nothing & np.asarray(title.is_valid()), aliases(settings))
    nothing &= ~alone
    refuse(nothing, reasons.NO_TEXT, lambda row: _no_text_message(records, row, settings))
    if dates is not None:
        given["published_at"] = dates
    refuse(undated, reasons.BAD_DATE, lambda row: _bad_date_message(given["published_at"][row]))
    url = one_line(given["url"])
    source = pc.coalesce(one_line(given["source"]), _host(url))
    columns = {
        "article_id": article_ids(given["id"], given["source"], given["url"], given["title"], text, html),
        "source_id": given["id"],
        "source_uri": pa.repeat(source_uri, rows),
        "position": pa.array(records.positions, pa.int64()),
        "source": source,
        "url": url,
        "title": title,
        "language": normalise_languages(given["language"]),
        "published_at": published,
        "text": pc.if_else(pa.array(alone), title, text) if alone.any() else text,
        "html": html,
        "byline": pa.nulls(rows, pa.string()),
        "agency": pa.nulls(rows, pa.string()),
    }
    batch = pa.RecordBatch.from_arrays([columns[name] for name in RAW.names], schema=RAW)
    return batch.filter(pa.array(~refused)) if refused.any() else batch


def _headlines(
    records: Records, candidates: npt.NDArray[np.bool_], wanted: dict[str, tuple[str, ...]]
) -> npt.NDArray[np.bool_]:
    """Which of the records with a title alone are headlines, and not texts under a name that nobody knows: bool[n]."""
    alone = np.zeros(len(candidates), np.bool_)
    if records.seen is not None:
        for row in np.flatnonzero(candidates).tolist():
            alone[row] = has_content(records.seen(row), wanted)
    return alone


def _no_text_message(records: Records, row: int, settings: ReadSettings) -> str:
    if records.seen is None:
        return "there is no text in it: it is empty or white space"
    return no_content_message("the record", records.seen(row), aliases(settings))


def _bad_date_message(value: pa.Scalar) -> str:
    shown = str(value.as_py()) if pa.types.is_string(value.type) else str(value.cast(pa.int64()).as_py()) + " us"
    return f"can't read the date {shown[:100]!r}; accepted: {EXAMPLES}"


def too_large_message(size: int, settings: ReadSettings) -> str:
    """Says a record's size in bytes and the setting it passes."""
    return f"the record has {size} bytes; read.max_record_bytes is {settings.max_record_bytes}"


def _filled(column: pa.Array | None, rows: int) -> pa.StringArray:
    """The column, with null where a value is empty or white space: that gives nothing."""
    if column is None:
        return pa.nulls(rows, pa.string())
    if column.null_count == rows:
        return column
    blank = pc.or_(pc.equal(pc.binary_length(column), 0), pc.utf8_is_space(column))
    if not pc.any(blank, min_count=0).as_py():
        return column
    return pc.if_else(pc.fill_null(blank, True), pa.scalar(None, pa.string()), column)


_STRAY = r"[\x00-\x1f\x7f-\x{9f}\x{2028}\x{2029}]"
_TURNING = r"[\x{202a}-\x{202e}\x{2066}-\x{2069}]"
"""RE2. Signs that move a terminal's cursor, break a line, or turn the direction of what follows. The marks RLM and LRM,
which stay within their line, are usual in Arabic titles."""


def one_line(column: pa.StringArray) -> pa.StringArray:
    """The column without signs that could harm where a title or an outlet is shown; null where it is nothing else."""
    if column.null_count == len(column):
        return column
    harmful = pc.match_substring_regex(column, f"{_STRAY}|{_TURNING}")
    if not pc.any(harmful, min_count=0).as_py():
        return column
    spaced = pc.replace_substring_regex(
        pc.replace_substring_regex(column, _TURNING, ""), rf"\s*{_STRAY}[\s\x00-\x1f]*", " "
    )
    return _filled(pc.utf8_trim_whitespace(spaced), len(column))


def _published(dates: pa.Array | None, rows: int) -> tuple[pa.TimestampArray, npt.NDArray[np.bool_]]:
    if dates is None or dates.null_count == rows:
        return pa.nulls(rows, TIMESTAMP), np.zeros(rows, np.bool_)
    if pa.types.is_timestamp(dates.type):
        bad = ~np.asarray(pc.fill_null(in_range(dates), True))
        return pc.if_else(pa.array(bad), pa.scalar(None, TIMESTAMP), dates), bad
    published, unread = parse_dates(dates)
    return published, np.asarray(unread)


def _bytes(column: pa.StringArray) -> npt.NDArray[np.int64]:
    return np.asarray(pc.fill_null(pc.binary_length(column), 0)).astype(np.int64)


def _host(url: pa.StringArray) -> pa.StringArray:
    if url.null_count == len(url):
        return url
    if pc.max(pc.binary_length(url)).as_py() > HOST_CHARACTERS:
        url = pc.utf8_slice_codeunits(url, 0, HOST_CHARACTERS)
    return pc.utf8_lower(pc.struct_field(pc.extract_regex(url, HOST), "host"))
