"""The sketches of a batch of cleaned articles: the plain twin of `transforms.sign_articles`."""

from __future__ import annotations

import functools
import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.settings import SignSettings
from schemas.tables import MINHASH_BYTES, SKETCH
from transforms.functions.agencies import agency_named
from transforms.functions.minhash import DATASKETCH_SCHEME, DATASKETCH_SEED, sketch_words
from transforms.functions.shingling import hash_words_and_terms
from transforms.functions.terms import NO_TERM

FOLDING_VERSION = 2
"""Raised when folding or hashing changes: old fingerprints can't be compared with new ones then."""

TERMS_VERSION = 1
"""The same for `terms`."""

MICROSECONDS_A_DAY = 86_400_000_000


def scheme(settings: SignSettings) -> str:
    """What fingerprints are made of, as stored; stores of another scheme are refused.

    The first part rebuilds a `datasketch.MinHash`: number of permutations, seed, datasketch's scheme.
    """
    return (
        f"minhash=128,{DATASKETCH_SEED},{DATASKETCH_SCHEME};fold={FOLDING_VERSION};shingle={settings.shingle_words};"
        f"anchors={settings.anchor_scale},{settings.min_anchors};terms={TERMS_VERSION}"
    )


def fixed_binary(values: npt.NDArray[np.generic], width: int) -> pa.Array:
    """A fixed-size binary column over the bytes of a C-contiguous array of n rows of `width` bytes."""
    data = np.ascontiguousarray(values)
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(data), [None, pa.py_buffer(data)])


def list_column(values: npt.NDArray[np.generic], offsets: npt.NDArray[np.int64]) -> pa.ListArray:
    """A list column over packed values; offsets int64[n + 1]."""
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(values))


def origin_ranks(sources: pa.StringArray, agencies: pa.StringArray) -> npt.NDArray[np.int8]:
    """0: the outlet is an agency, the credited one if any; 1: credits no agency; 2: credits an agency it isn't."""
    pairs = zip(sources.to_pylist(), agencies.to_pylist(), strict=True)
    return np.array([_origin_rank(*pair) for pair in pairs], np.int8)


def source_hashes(sources: pa.StringArray) -> pa.UInt64Array:
    """A hash of each outlet's name, whatever its case: uint64[n], null where there is none."""
    names = pc.dictionary_encode(pc.utf8_lower(pc.utf8_trim_whitespace(sources)))
    hashes = [
        int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
        for name in names.dictionary.to_pylist()
    ]
    return pa.array(hashes, pa.uint64()).take(names.indices)


@functools.cache
def _origin_rank(source: str | None, agency: str | None) -> int:
    host = (source or "").removeprefix("www.").split(".")[0]
    itself = agency_named(source or "") or agency_named(host.capitalize()) or agency_named(host.upper())
    if itself is not None and agency in (None, itself):
        return 0
    return 1 if agency is None else 2


def sign_batch(
    cleaned: pa.RecordBatch, removed_share: npt.NDArray[np.float32], settings: SignSettings
) -> pa.RecordBatch:
    """Sketches of a batch.

    Args:
        cleaned: CLEANED, n rows.
        removed_share: float32[n], share of the text that was taken out.

    Returns:
        SKETCH, n rows in the same order.
    """
    words, offsets, terms = hash_words_and_terms(cleaned.column("text"))
    has_term = terms != NO_TERM
    term_offsets = np.r_[0, np.cumsum(has_term)][offsets]
    sketches = sketch_words(
        words, offsets, size=settings.shingle_words, scale=settings.anchor_scale, min_anchors=settings.min_anchors
    )
    published = cleaned.column("published_at")
    micros = published.cast(pa.int64())
    days = pc.floor(pc.divide(micros.cast(pa.float64()), float(MICROSECONDS_A_DAY))).cast(pa.int32())
    columns = {
        "article_id": cleaned.column("article_id"),
        "day": days,
        "published_at": published,
        "source": source_hashes(cleaned.column("source")),
        "origin_rank": pa.array(origin_ranks(cleaned.column("source"), cleaned.column("agency"))),
        "removed_share": pa.array(removed_share.astype(np.float32)),
        "text_digest": fixed_binary(sketches.digests, 16),
        "shingles": pa.array(sketches.shingles),
        "minhash": fixed_binary(sketches.minhash.astype("<u4"), MINHASH_BYTES),
        "anchors": list_column(sketches.anchors, sketches.anchor_offsets),
        "words": list_column(words, offsets),
        "terms": list_column(terms[has_term], term_offsets),
        "completeness": pa.nulls(cleaned.num_rows, pa.int32()),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in SKETCH.names], schema=SKETCH)
