"""Articles of a store back into records as they were read: the plain twin of `transforms.read_stored`.

What was taken out of a text is put back, which gives the text as it was normalised; so a newer program can clean it
anew. The id is kept: it is a digest of what was given, markup and white space included, which a store doesn't hold.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from schemas.tables import RAW, REMOVED
from transforms.functions.furniture_spans import put_all_back
from transforms.functions.refusals import REFUSED

ARTICLE_COLUMNS = ("removed", *(name for name in RAW.names if name != "html"))
"""What is read of `clean/` and `copies/`; stores of every schema version have them."""


def restore_records(articles: pa.Table) -> pa.RecordBatch:
    """RAW records of stored articles.

    Args:
        articles: ARTICLE_COLUMNS, n rows.

    Returns:
        RAW, n rows: `text` is the normalised input; `byline` and `agency` only where a page had said them.
    """
    removed = articles.column("removed").cast(REMOVED)
    whole = put_all_back(articles.set_column(articles.schema.get_field_index("removed"), "removed", removed))
    columns = {name: whole.column(name) for name in RAW.names if name != "html"}
    columns["html"] = pa.nulls(whole.num_rows, pa.string())
    columns |= _stated_by_pages(removed, whole)
    table = pa.table([columns[name] for name in RAW.names], schema=RAW).combine_chunks()
    return table.to_batches()[0] if table.num_rows else pa.RecordBatch.from_pylist([], schema=RAW)


SAYING = frozenset(["byline", "dateline", "credit", "copyright"])
"""Categories of what is taken out of a text that can name an agency."""


def _stated_by_pages(removed: pa.ChunkedArray, whole: pa.Table) -> dict[str, pa.StringArray]:
    """Bylines that the texts don't hold, and agencies of texts of which nothing was taken out that can say one.

    What a text itself says is read from it again, by the rules of today.
    """
    bylines: list[str | None] = []
    agencies: list[str | None] = []
    given = (whole.column(name).to_pylist() for name in ("byline", "agency", "text"))
    for byline, agency, text, spans in zip(*given, removed.to_pylist(), strict=True):
        bylines.append(byline if byline is not None and byline not in text else None)
        said = agency is None or any(span["category"] in SAYING for span in spans)
        agencies.append(None if said else agency)
    return {"byline": pa.array(bylines, pa.string()), "agency": pa.array(agencies, pa.string())}


def restore_refused(rejected: pa.Table) -> pa.RecordBatch:
    """REFUSED rows of a store's `rejected/`, as they are."""
    table = rejected.select(REFUSED.names).cast(REFUSED).combine_chunks()
    return table.to_batches()[0] if table.num_rows else pa.RecordBatch.from_pylist([], schema=REFUSED)


def by_source(records: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The rows of each file that they came from, files in the order in which they are met."""
    uris = pc.dictionary_encode(records.column("source_uri"))
    for number, uri in enumerate(uris.dictionary.to_pylist()):
        yield uri, records.filter(pc.equal(uris.indices, number))
