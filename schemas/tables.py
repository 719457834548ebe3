"""The Arrow schemas of everything that flows or is stored, written once; other forms are derived from these."""

from __future__ import annotations

import pyarrow as pa

SCHEMA_VERSION = 3
"""Raised by every change of a stored schema; a store says its own in each file and manifest.

2: matches/ have `asked`, `long_lead_covered`, `place` and `long_place`; furniture/ is new.
3: sketches/ have `source`, `terms` and `completeness`; matches/ have `pieces` and what a rewrite is told by
(REWRITE_COUNTS), and their `number_substitutions` are of other numbers, not of the same ones written otherwise; clean/
and copies/ have `dateline_date`.
"""

TIMESTAMP = pa.timestamp("us", tz="UTC")
ARTICLE_ID_PATTERN = "[0-9a-f]{32}"

RAW = pa.schema(
    [
        pa.field("article_id", pa.string(), nullable=False),
        pa.field("source_id", pa.string()),
        pa.field("source_uri", pa.string(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("source", pa.string()),
        pa.field("url", pa.string()),
        pa.field("title", pa.string()),
        pa.field("language", pa.string()),
        pa.field("published_at", TIMESTAMP),
        pa.field("text", pa.string()),
        pa.field("html", pa.string()),
        pa.field("byline", pa.string()),
        pa.field("agency", pa.string()),
    ]
)
"""A record as read: text as given, or a page in `html` (one of the two is not null). `byline` and `agency` (the wire's
canonical name): as something else than the text says, a page or the store that the record comes from."""

REJECTED = pa.schema(
    [
        pa.field("source_uri", pa.string(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("source_id", pa.string()),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("message", pa.string(), nullable=False),
        pa.field("payload", pa.binary()),
        pa.field("payload_sha256", pa.string()),
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("schema_version", pa.int32(), nullable=False),
    ]
)
"""A refused record. `position` is -1 where the whole file is meant."""

REMOVED_SPAN = pa.struct(
    [
        pa.field("rule", pa.string(), nullable=False),
        pa.field("category", pa.string(), nullable=False),
        pa.field("at", pa.int32(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
    ]
)
REMOVED = pa.list_(REMOVED_SPAN)

CLEANED = pa.schema(
    [
        pa.field("article_id", pa.string(), nullable=False),
        pa.field("source_id", pa.string()),
        pa.field("source_uri", pa.string(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("source", pa.string()),
        pa.field("url", pa.string()),
        pa.field("title", pa.string()),
        pa.field("language", pa.string()),
        pa.field("text", pa.string(), nullable=False),
        pa.field("published_at", TIMESTAMP),
        pa.field("byline", pa.string()),
        pa.field("dateline", pa.string()),
        pa.field("dateline_date", pa.string()),
        pa.field("agency", pa.string()),
        pa.field("removed", REMOVED, nullable=False),
    ]
)
"""An article after extraction, Unicode and rules, as staged. `dateline` is the place, `dateline_date` the date beside
it as printed, which often has no year."""

MINHASH_PERMUTATIONS = 128
MINHASH_BYTES = 4 * MINHASH_PERMUTATIONS

ARTICLE = pa.schema(
    [CLEANED.field(name) for name in ("article_id", "source_id", "source_uri", "position", "source", "url", "title")]
    + [CLEANED.field(name) for name in ("language", "text", "published_at")]
    + [pa.field("ingested_at", TIMESTAMP, nullable=False)]
    + [CLEANED.field(name) for name in ("byline", "dateline", "dateline_date", "agency", "removed")]
    + [
        pa.field("story_id", pa.string(), nullable=False),
        pa.field("relation", pa.string(), nullable=False),
        pa.field("kept_id", pa.string(), nullable=False),
        pa.field("derived_from", pa.string()),
        pa.field("minhash", pa.binary(MINHASH_BYTES), nullable=False),
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("schema_version", pa.int32(), nullable=False),
    ]
)
"""`clean/` and `copies/`."""

SKETCH = pa.schema(
    [
        pa.field("article_id", pa.string(), nullable=False),
        pa.field("day", pa.int32()),
        pa.field("published_at", TIMESTAMP),
        pa.field("source", pa.uint64()),
        pa.field("origin_rank", pa.int8(), nullable=False),
        pa.field("removed_share", pa.float32(), nullable=False),
        pa.field("text_digest", pa.binary(16), nullable=False),
        pa.field("shingles", pa.int32(), nullable=False),
        pa.field("minhash", pa.binary(MINHASH_BYTES), nullable=False),
        pa.field("anchors", pa.list_(pa.uint64()), nullable=False),
        pa.field("words", pa.list_(pa.uint32()), nullable=False),
        pa.field("terms", pa.list_(pa.uint32()), nullable=False),
        pa.field("completeness", pa.int32()),
    ]
)
"""What later runs compare with, without reading text again.

`day`: days since 1970 of `published_at`. `source`: a hash of the outlet's name, null where it isn't known, and before
schema version 3. `origin_rank`: 0 the credited wire or outlet itself, 1 credits nobody,
2 credits somebody else. `text_digest`: of the folded words (equal: the same text). `shingles`: distinct word
5-shingles. `words`: hashes of the folded words in order, from which every shingle follows. `terms`: of the words that
have one, in order, a hash of a form that survives inflection and transliteration (transforms/functions/terms.py).
`completeness`: rare 3-shingles, once that can't change any more because the sketches around were cut short
(`pipeline/retention.py`): of those published before the first day that counts `words`, `terms` and `anchors` are
empty.
"""

REWRITE_COUNTS = (
    "left_weight", "right_weight", "shared_weight", "level_weight", "paced_weight",
    "left_figures", "right_figures", "figures_shared",
)  # fmt: skip
"""What tells a rewrite in other words (see transforms/functions/rewriting.py); 0 where a pair was not compared so."""

MATCH_COUNTS = (
    "shared", "left_shingles", "right_shingles", "shared3", "left_shingles3", "right_shingles3",
    "rare_shared", "left_rare", "right_rare", "left_words", "right_words", "longest_run", "blocks", "pieces",
    "covered3", "covered8", "covered15", "in_order", "substitutions", "number_substitutions",
    "numbers", "numbers_shared", "lead_covered", "long_lead_covered", "place", "long_place", "days_apart",
    *REWRITE_COUNTS,
)  # fmt: skip
"""The counts that a match rests on (see transforms/functions/evidence.py), enough to decide it again."""

MATCH = pa.schema(
    [
        pa.field("left_id", pa.string(), nullable=False),
        pa.field("right_id", pa.string(), nullable=False),
        pa.field("relation", pa.string(), nullable=False),
        pa.field("accepted", pa.bool_(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("contained_side", pa.string()),
        pa.field("asked", pa.bool_(), nullable=False),
        pa.field("jaccard", pa.float32(), nullable=False),
        pa.field("containment", pa.float32(), nullable=False),
        pa.field("rare_containment", pa.float32(), nullable=False),
    ]
    + [pa.field(name, pa.int32(), nullable=False) for name in MATCH_COUNTS]
    + [pa.field("run_id", pa.string(), nullable=False), pa.field("schema_version", pa.int32(), nullable=False)]
)
"""The evidence: one row a verified pair, left_id < right_id.

`asked`: not proposed by what the two share, but compared because their story asked for it; a later run asks again.

`jaccard` and `containment` (the larger of the two sides') are over distinct word 5-shingles of the folded text;
`rare_containment`: of the rare 3-shingles of the side that has fewer, the share that the other has.
`contained_side`: "left", "right" or "both" where that side's text is in the other; null where neither is.
"""

LABEL = pa.schema(
    [
        pa.field("article_id", pa.string(), nullable=False),
        pa.field("story_id", pa.string(), nullable=False),
        pa.field("relation", pa.string(), nullable=False),
        pa.field("kept_id", pa.string(), nullable=False),
        pa.field("derived_from", pa.string()),
        pa.field("is_kept", pa.bool_(), nullable=False),
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("schema_version", pa.int32(), nullable=False),
    ]
)
"""The current story of every article a run labelled or relabelled; the newest run wins."""

STORY_BYTES = 16

FURNITURE = pa.schema(
    [
        pa.field("source", pa.string()),
        pa.field("day", pa.int32()),
        pa.field("story", pa.binary(STORY_BYTES), nullable=False),
        pa.field("lines", pa.list_(pa.uint64()), nullable=False),
    ]
)
"""What an outlet's furniture is learned from: an article's lines, one row an article.

`day`: days since 1970 of `published_at`. `story`: the first values of the MinHash, by which near copies of a text
mostly count once. `lines`: a hash of the folded words of every line of the text after rules and structure, in order;
0 for a line too short to be learned (see transforms/functions/furniture.py).
"""

FIELD_ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("id", "article_id", "guid", "uuid"),
    "url": ("url", "link", "source_url"),
    "source": ("source", "outlet", "publisher", "domain"),
    "title": ("title", "headline"),
    "text": ("text", "body", "content", "article", "articleBody", "content_text"),
    "html": ("html", "raw_html", "content_html"),
    "published_at": (
        *("published_at", "date", "published", "date_published"),
        *("publishedAt", "datePublished", "pubDate"),
    ),
    "language": ("language", "lang"),
}
"""Names under which an input may give each field; the first that is present and not null wins."""

STORE_TABLES: dict[str, pa.Schema] = {
    "clean": ARTICLE,
    "copies": ARTICLE,
    "rejected": REJECTED,
    "matches": MATCH,
    "labels": LABEL,
    "sketches": SKETCH,
    "furniture": FURNITURE,
}
