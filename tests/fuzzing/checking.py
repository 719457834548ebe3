"""Reads and cleans a case, and says what was not as promised."""

from __future__ import annotations

import io
import os
import re
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import fastavro
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from schemas.reasons import REASONS, STAGES
from schemas.settings import Settings
from schemas.tables import CLEANED, RAW
from tests.functions.files import read_settings
from tests.fuzzing.cases import Case, make_case
from tests.fuzzing.texts import make_texts
from transforms.functions.cleaning import clean_batch
from transforms.functions.extraction import PageExtractor
from transforms.functions.magic import known_content
from transforms.functions.reading import read_split
from transforms.functions.reading_json import LISTS
from transforms.functions.refusals import REFUSED
from transforms.functions.splits import form_of, plan_splits

TEXTS_EVERY = 8
"""One case in so many is a batch of texts for the cleaning alone."""

_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


SHOWN = ["text", "title", "source", "language", "byline", "dateline", "dateline_date", "agency"]
"""Columns of an article that tools show."""


class BrokenPromiseError(AssertionError):
    """What came out is not what must."""


@dataclass
class Outcome:
    """Of one case: records given, articles and refused records that came out, the CPU seconds of its slowest batch."""

    number: int
    made: str
    articles: int = 0
    refused: int = 0
    counted: bool = False
    seconds: float = 0.0
    reasons: dict[str, int] = field(default_factory=dict)


def check(condition: bool, message: str) -> None:
    """Raises BrokenPromiseError with the message unless the condition holds."""
    if not condition:
        raise BrokenPromiseError(message)


def run_case(number: int, extractor: PageExtractor) -> Outcome:
    """Runs the case of a number.

    Raises:
        BrokenPromiseError: a sum or a value is wrong.
        Exception: whatever the readers or the cleaning raise, though they must not.
    """
    if number % TEXTS_EVERY == TEXTS_EVERY - 1:
        outcome = Outcome(number, "texts", counted=True)
        _clean(make_texts(number), extractor, outcome)
    else:
        case = make_case(number)
        outcome = Outcome(number, f"{case.name} from {case.made}")
        _read(case, extractor, outcome)
    return outcome


@contextmanager
def timed(outcome: Outcome, extractor: PageExtractor) -> Iterator[None]:
    """Keeps the CPU seconds of the slowest step, which is the reading or the cleaning of one batch."""
    started, child = time.process_time(), child_seconds(extractor)
    yield
    of_child = max(0.0, child_seconds(extractor) - child)  # less where a child replaced another
    outcome.seconds = max(outcome.seconds, time.process_time() - started + of_child)


def _read(case: Case, extractor: PageExtractor, outcome: Outcome) -> None:
    settings = read_settings(**case.settings)
    raws, refused = [], []
    splits = plan_splits(case.name, len(case.content), settings, lambda _: io.BytesIO(case.content))
    for split in splits:
        batches = read_split(split, settings, lambda _: io.BytesIO(case.content))
        while True:
            with timed(outcome, extractor):
                batch = next(batches, None)
            if batch is None:
                break
            check(batch.raw.num_rows + batch.refused.num_rows > 0, "an empty batch")
            check(batch.raw.schema.equals(RAW), "the schema of the records")
            batch.raw.validate(full=True)
            check_refused(batch.refused, settings.payload_bytes)
            raws.append(batch.raw)
            refused += batch.refused.to_pylist()
    read = [row for raw in raws for row in raw.select(["article_id", "position"]).to_pylist()]
    places = [row["position"] for row in [*read, *refused] if row["position"] >= 0]
    check(len(places) == len(set(places)), f"a place twice: {sorted(places)[:50]}")
    for row in refused:
        outcome.reasons[row["reason"]] = outcome.reasons.get(row["reason"], 0) + 1
    whole = [row for row in refused if row["position"] < 0]
    most = len(splits) if splits[0].form == "parquet" else 1  # each group of rows may be damaged
    check(len(whole) <= most, f"{len(whole)} refusals of the whole file")
    given = count_given(case, bool(whole))
    if given is not None:
        outcome.counted = True
        found = len(read) + len(refused)
        check(given == found, f"{given} records given, {len(read)} articles and {len(refused)} refused")
    outcome.refused += len(refused)
    for raw in raws:
        _clean(raw, extractor, outcome)


def _clean(raw: pa.RecordBatch, extractor: PageExtractor, outcome: Outcome) -> None:
    settings = Settings()
    with timed(outcome, extractor):
        cleaned = clean_batch(raw, settings, extractor)
    check(cleaned.cleaned.schema.equals(CLEANED), "the schema of the articles")
    cleaned.cleaned.validate(full=True)
    check_refused(cleaned.refused, settings.read.payload_bytes)
    kept, refused = cleaned.cleaned.num_rows, cleaned.refused.num_rows
    check(raw.num_rows == kept + refused, f"{raw.num_rows} records to clean, {kept} articles and {refused} refused")
    check(len(cleaned.removed_share) == kept, "a share for each article")
    check(set(cleaned.cleaned["article_id"].to_pylist()) <= set(raw["article_id"].to_pylist()), "an id of its own")
    for row in cleaned.cleaned.select(SHOWN).to_pylist():
        for name, value in row.items():
            found = _HARMFUL.search(value or "")
            check(found is None, f"{name} holds {found and found.group()!r}")
    outcome.articles += kept
    outcome.refused += refused
    for reason in cleaned.refused["reason"].to_pylist():
        outcome.reasons[reason] = outcome.reasons.get(reason, 0) + 1


def check_refused(refused: pa.RecordBatch, payload_bytes: int) -> None:
    """Whether refused rows are what `rejected/` promises."""
    check(refused.schema.equals(REFUSED), "the schema of the refused")
    refused.validate(full=True)
    for row in refused.to_pylist():
        check(row["reason"] in REASONS and row["stage"] in STAGES, f"reason {row['reason']}, stage {row['stage']}")
        check(bool(row["message"]) and not _HARMFUL.search(row["message"]), f"message {row['message']!r}")
        payload = row["payload"]
        check(payload is None or len(payload) <= payload_bytes, "a payload that is too long")
        check((payload is None) == (row["payload_sha256"] is None), "a payload without its digest")


def count_given(case: Case, whole_file_refused: bool) -> int | None:
    """How many records the file holds, counted without the code that reads it; None where that can't be told.

    A file of which something is refused as a whole counts that as one more.
    """
    known = form_of(case.name)
    assert known is not None
    form, compression = known
    if form in ("txt", "html"):
        return 1
    content, sound = _decompressed(case.content, compression)
    if not sound:
        return None
    counters: dict[str, Any] = {"jsonl": _lines, "json": _elements, "parquet": _rows, "avro": _entries}
    if form not in counters or (whole_file_refused and form != "jsonl"):
        return None
    counted: int | None = counters[form](content)
    return counted


def _lines(content: bytes) -> int | None:
    if known_content(content):
        return 1
    if content.count(0) or content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None  # it may be UTF-16
    return sum(1 for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip())


def _elements(content: bytes) -> int | None:
    try:
        value = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return None
    if isinstance(value, dict) and any(name.decode() in value for name in LISTS):
        return None
    return len(value) if isinstance(value, list) else 1


def _rows(content: bytes) -> int | None:
    rows: int = pq.ParquetFile(io.BytesIO(content)).metadata.num_rows
    return rows


def _entries(content: bytes) -> int | None:
    try:
        return sum(1 for _ in fastavro.reader(io.BytesIO(content)))
    except Exception:  # noqa: BLE001 - whatever it raises, it couldn't count them
        return None


def _decompressed(content: bytes, compression: str | None) -> tuple[bytes, bool]:
    if compression is None:
        return content, True
    try:
        if compression == "zstd":
            out = b""
            while content:
                frame = zstandard.ZstdDecompressor().decompressobj()
                out += frame.decompress(content)
                if not frame.eof:
                    return out, False
                content = frame.unused_data
            return out, bool(out)
        stream = zlib.decompressobj(wbits=31)
        out = stream.decompress(content, 1 << 26)
        return out, stream.eof and not stream.unused_data
    except (zlib.error, zstandard.ZstdError):
        return b"", False


def child_seconds(extractor: PageExtractor) -> float:
    """CPU seconds of the extractor's child so far."""
    child = extractor._child
    if child is None:
        return 0.0
    try:
        with open(f"/proc/{child.pid}/stat") as file:
            user, system = file.read().rpartition(")")[2].split()[11:13]
    except OSError:
        return 0.0
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
