"""Learns which lines are an outlet's furniture, from where, on how many days and in how many stories they stood.

A line is known by a hash of its folded words, so that case, marks and spelling variants don't matter. What is held of
an article (`schemas.tables.FURNITURE`) adds up: what is learned from many runs is what one run would have learned.
"""

from __future__ import annotations

import hashlib

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.settings import FurnitureSettings
from schemas.tables import FURNITURE, MINHASH_BYTES, STORY_BYTES
from transforms.functions.line_table import find_lines
from transforms.functions.packed_text import Offsets, pack
from transforms.functions.shingling import ShingleHashes, WordHashes, hash_words, shingle_at
from transforms.functions.signing import fixed_binary, list_column
from transforms.functions.sketch_files import packed_bytes, packed_lists

FEWEST_WORDS = 5
FEWEST_BYTES = 24
"""Shorter lines are never learned: of the lines of under five words that stood in 4 or more stories of an outlet
(14,000 articles in English and Arabic) nearly all were names of columnists and titles of columns and sections. The
bytes are for scripts without spaces, of which each character is a word."""

KNOWN = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("line", pa.uint64(), nullable=False),
        pa.field("stories", pa.int32(), nullable=False),
        pa.field("days", pa.int32(), nullable=False),
        pa.field("first_day", pa.int32(), nullable=False),
        pa.field("last_day", pa.int32(), nullable=False),
        pa.field("articles", pa.int32(), nullable=False),
        pa.field("share", pa.float32(), nullable=False),
        pa.field("edge_share", pa.float32(), nullable=False),
    ]
)
"""A line that is furniture, by its hash. `stories` and `days`: distinct ones that had it at an edge. `articles`: that
had it anywhere. `share`: of the outlet's articles between the two days. `edge_share`: of `articles`."""

Keys = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]


@numba.njit(nogil=True, cache=True)
def _hash_lines(words: WordHashes, offsets: Offsets, sizes: Offsets) -> ShingleHashes:
    hashes = np.zeros(len(sizes), np.uint64)
    for line in range(len(sizes)):
        count = offsets[line + 1] - offsets[line]
        if count >= FEWEST_WORDS and sizes[line] >= FEWEST_BYTES:
            hashes[line] = shingle_at(words, offsets[line], count)
    return hashes


def hash_lines(texts: pa.StringArray) -> pa.ListArray:
    """Hashes of the folded lines of normal-form texts: list<uint64>[n], 0 for a line too short to be learned.

    Words are hashed line by line: those of a whole text may run on over the ends of lines in scripts without spaces.
    """
    packed = pack(texts)
    lines = find_lines(packed)
    # A line's newline is taken along: it separates words like a blank, and the texts needn't be copied.
    bounds = np.append(lines.starts, packed.offsets[-1]).astype(np.int32)
    column = pa.StringArray.from_buffers(len(lines), pa.py_buffer(bounds), pa.py_buffer(packed.data))
    return list_column(_hash_lines(*hash_words(column), lines.ends - lines.starts), lines.first)


def sign_lines(cleaned: pa.RecordBatch, sketches: pa.RecordBatch) -> pa.RecordBatch:
    """What is held of a batch's lines.

    Args:
        cleaned: CLEANED, n rows; sketches: SKETCH, the same rows.

    Returns:
        FURNITURE, n rows in the same order.
    """
    minhash = packed_bytes(pa.chunked_array([sketches.column("minhash")]), MINHASH_BYTES)
    columns = {
        "source": cleaned.column("source"),
        "day": sketches.column("day"),
        "story": fixed_binary(minhash[:, :STORY_BYTES], STORY_BYTES),
        "lines": hash_lines(cleaned.column("text")),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in FURNITURE.names], schema=FURNITURE)


def source_salts(sources: list[str]) -> Keys:
    """uint64[n]: what tells the same line of two outlets apart."""
    digests = b"".join(hashlib.blake2b(source.encode(), digest_size=8).digest() for source in sources)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def line_keys(sources: pa.ChunkedArray, lines: pa.ChunkedArray) -> tuple[Keys, Offsets, Codes, list[str]]:
    """Each line with its outlet as one number.

    Args:
        sources: string[n]; lines: list<uint64>[n].

    Returns:
        keys: uint64[m], all articles' lines one after another; 0 where the line or the outlet can't be told.
        offsets: int64[n + 1] into `keys`.
        codes: int64[n], an article's outlet as a place in `names`; -1 for none.
        names: the outlets.
    """
    values, offsets = packed_lists(lines)
    encoded = (sources.combine_chunks() if isinstance(sources, pa.ChunkedArray) else sources).dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    names: list[str] = encoded.dictionary.to_pylist()
    salts = np.append(source_salts(names), np.uint64(0))[codes]
    keys = values.astype(np.uint64) ^ np.repeat(salts, np.diff(offsets))
    keys[(values == 0) | np.repeat(codes < 0, np.diff(offsets))] = 0
    return keys, offsets, codes, names


def edges(offsets: Offsets, edge_lines: int) -> Flags:
    """Which lines are among the first or last so many of their article: bool[m]."""
    lengths = np.diff(offsets)
    place = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    return (place < edge_lines) | (np.repeat(lengths, lengths) - place <= edge_lines)


def edge_keys(sources: pa.ChunkedArray, lines: pa.ChunkedArray, edge_lines: int) -> Keys:
    """The distinct keys of lines at edges, ascending: what a run asks about."""
    keys, offsets, _, _ = line_keys(sources, lines)
    found = np.unique(keys[edges(offsets, edge_lines)])
    return found[found != 0]


def learn_furniture(held: pa.Table, settings: FurnitureSettings, wanted: Keys | None = None) -> pa.Table:
    """The lines that are furniture by what is held of the articles of all runs, in whatever order they are.

    Args:
        held: FURNITURE, n rows.
        wanted: keys, ascending; only lines of them are looked at. None: all.

    Returns:
        KNOWN, by outlet and line.
    """
    keys, offsets, codes, names = line_keys(held.column("source"), held.column("lines"))
    at_edge = edges(offsets, settings.edge_lines)
    asked = at_edge & (keys != 0)
    if wanted is not None:
        asked &= among(keys, wanted)
    some, counts = np.unique(keys[asked], return_counts=True)
    some = some[counts >= settings.min_stories]
    found = np.flatnonzero(among(keys, some))
    if not len(found):
        return KNOWN.empty_table()
    row = np.repeat(np.arange(len(codes)), np.diff(offsets))[found]
    line, row, edge = _once_an_article(np.searchsorted(some, keys[found]), row, at_edge[found])
    day = held.column("day").combine_chunks()
    dated = day.is_valid().to_numpy(zero_copy_only=False)
    days = day.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    story = packed_bytes(held.column("story"), STORY_BYTES).view("<u4")
    counted = edge & dated[row]
    articles = np.bincount(line, minlength=len(some))
    first, last = np.full(len(some), np.iinfo(np.int32).max, np.int64), np.full(len(some), -1, np.int64)
    last -= np.iinfo(np.int32).max
    np.minimum.at(first, line[counted], days[row[counted]])
    np.maximum.at(last, line[counted], days[row[counted]])
    source = np.zeros(len(some), np.int64)
    source[line] = codes[row]
    between = _articles_between(codes[dated], days[dated], source, first, last)
    columns = {
        "source": pa.array([names[code] for code in source.tolist()], pa.string()),
        "line": some ^ source_salts(names)[source],
        "stories": _stories(line[edge], story[row[edge]], len(some)),
        "days": _distinct(line[counted], days[row[counted]], len(some)),
        "first_day": first,
        "last_day": last,
        "articles": articles,
        "share": np.bincount(line[counted], minlength=len(some)) / np.maximum(between, 1),
        "edge_share": np.bincount(line[edge], minlength=len(some)) / articles,
    }
    known = (
        (columns["stories"] >= settings.min_stories)
        & (columns["days"] >= settings.min_days)
        & (columns["share"] >= settings.min_share)
        & (columns["edge_share"] >= settings.edge_share)
    )
    arrays = [pa.array(columns[field.name]).cast(field.type).filter(pa.array(known)) for field in KNOWN]
    return pa.Table.from_arrays(arrays, schema=KNOWN).sort_by([("source", "ascending"), ("line", "ascending")])


def among(keys: Keys, wanted: Keys) -> Flags:
    """Which keys are among `wanted` (ascending)."""
    if not len(wanted):
        return np.zeros(len(keys), np.bool_)
    at = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
    return wanted[at] == keys


def _once_an_article(line: Codes, row: Codes, edge: Flags) -> tuple[Codes, Codes, Flags]:
    """Each line once an article that has it, and whether it stands at an edge there."""
    order = np.lexsort((~edge, row, line))
    line, row, edge = line[order], row[order], edge[order]
    first = np.append(True, (line[1:] != line[:-1]) | (row[1:] != row[:-1]))
    return line[first], row[first], edge[first]


def _distinct(line: Codes, value: npt.NDArray[np.generic], count: int) -> Codes:
    """How many distinct values each of `count` lines has: int64[count]."""
    order = np.lexsort((value, line))
    line, value = line[order], value[order]
    fresh = np.ones(len(line), np.bool_)
    fresh[1:] = (line[1:] != line[:-1]) | (value[1:] != value[:-1])
    return np.bincount(line[fresh], minlength=count)


def _stories(line: Codes, story: npt.NDArray[np.uint32], count: int) -> Codes:
    """How many stories each line stands in, near copies of one mostly counted once.

    By one value of the MinHash a line that happens to hold the least hash itself would make one story of all its
    articles (a line of 14 words did of 12 of 30); by the largest of several counts this takes the same chance often.
    """
    return np.max([_distinct(line, value, count) for value in story.T], axis=0)


def _articles_between(codes: Codes, days: Codes, source: Codes, first: Codes, last: Codes) -> Codes:
    """How many articles of its outlet were published from each line's first to its last day: int64[lines]."""
    counts = np.zeros(len(source), np.int64)
    for code in np.unique(source).tolist():
        own = np.sort(days[codes == code])
        mine = source == code
        counts[mine] = np.searchsorted(own, last[mine], "right") - np.searchsorted(own, first[mine], "left")
    return np.maximum(counts, 0)
