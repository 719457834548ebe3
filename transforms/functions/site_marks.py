"""How much tells that a text is a site's whole page: furniture of different kinds, and its sections' names as lines."""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.functions.cutting import Spans
from transforms.functions.folding import ALEFS
from transforms.functions.line_table import LineTable
from transforms.functions.packed_text import Offsets, PackedText, slices

SITE_CATEGORIES = (
    "contact", "timestamp",
    "advert", "age_notice", "comments", "consent", "copyright", "navigation", "newsletter", "paywall", "related",
    "share", "social", "tags",
)  # fmt: skip
"""What rules of these cut is a site's. Captions, credits and datelines are a story's."""
WEAK = 2
"""The first so many of them, an address and a date, are a story's as well: the first of them counts only beside one of
the others, so that `Sport`, a date and nine results are an article."""

SECTION_BYTES, ROW_BYTES = 48, 400
"""The longest line looked up, and the longest row of a table (`| Home | Sport |`), cell by cell: pages are laid out in
tables too. The longest name has 38 bytes, with room for what decorates it; a menu in a row has ten names and more."""
PROSE_BYTES = 150
"""A name above a line of so many bytes heads a part of the story (`Health`, in a review of the day)."""

_DECORATION = "*-–—•·|<>«»‹›#[](){}0123456789:.…▼▾+×☰ \t"
_BAR = ord("|")


def _folded(words: pa.StringArray) -> pa.StringArray:
    """Small letters; Arabic alef without its hamza, words without their article: menus have `الأخبار`, `اخبار`."""
    without_hamza = pc.replace_substring_regex(pc.utf8_lower(words), f"[{ALEFS}]", "ا")
    return pc.replace_substring_regex(without_hamza, "^ال", "")


@functools.cache
def _read() -> dict[str, Any]:
    return tomllib.loads((resources.files("transforms.rules") / "sections.toml").read_text(encoding="utf-8"))


@functools.cache
def section_names() -> frozenset[str]:
    """Names of sites' sections in `rules/sections.toml`, in small letters, of all languages: menus mix them."""
    return frozenset(name.lower() for names in _read()["sections"].values() for name in names)


@functools.cache
def subhead_names() -> frozenset[str]:
    """Names there that may head a part of a story as well, in small letters."""
    return frozenset(name.lower() for name in _read()["subheads"])


@functools.cache
def _sections() -> pa.StringArray:
    return pc.unique(_folded(pa.array(sorted(section_names()))))


def count_site_marks(packed: PackedText, lines: LineTable, asked: npt.NDArray[np.bool_], furniture: Spans) -> Offsets:
    """Different marks of a site in each text asked: int64[n], kinds of furniture and sections that lines name.

    A line is one mark at most. A row of several cells counts where it names two sections, or where all its cells are
    empty: what is left of a page laid out in a table.

    Args:
        lines: all of the texts, also those that rules cut.
        asked: bool[n], the texts to look at.
        furniture: what rules of SITE_CATEGORIES found, its place there in `tag`.
    """
    at = np.flatnonzero(asked[lines.article])
    size, is_row = lines.ends[at] - lines.starts[at], packed.data[lines.starts[at]] == _BAR
    below = np.minimum(at + 1, len(lines) - 1)
    heads = (lines.article[below] == lines.article[at]) & (lines.ends[below] - lines.starts[below] >= PROSE_BYTES)
    looked_up = np.where(is_row, size <= ROW_BYTES, (size <= SECTION_BYTES) & ~heads)
    at, is_row = at[looked_up], is_row[looked_up]
    cells = pc.split_pattern(slices(packed, lines.starts[at], lines.ends[at]), "|")
    cell = pc.utf8_trim_whitespace(pc.list_flatten(cells))
    of = pc.list_parent_indices(cells).to_numpy()
    names = pc.index_in(_folded(pc.utf8_trim(cell, characters=_DECORATION)), value_set=_sections())
    name = pc.fill_null(names, -1).to_numpy().astype(np.int64)
    filled = np.bincount(of, weights=pc.binary_length(cell).to_numpy() > 0, minlength=len(at))
    named = np.bincount(of, weights=name >= 0, minlength=len(at))
    told = (name >= 0) & (named >= np.where(is_row & (filled >= 2), 2, 1))[of]
    empty = at[is_row & (filled == 0)]
    row = np.concatenate([lines.article[at[of[told]]], lines.article[empty]])
    kind = np.concatenate([name[told], np.full(len(empty), len(_sections()), np.int64)])
    # Of several rules that know a line the one of the first category counts, and none where it names a section.
    line, first = np.unique(np.searchsorted(lines.starts, furniture.start, "right") - 1, return_index=True)
    other = ~np.isin(line, at[of[told]]) & asked[lines.article[line]]
    article, category = lines.article[line[other]], furniture.tag[first][other].astype(np.int64)
    beside_others = np.isin(np.arange(len(packed)), lines.article[line[furniture.tag[first] >= WEAK]])
    weak = category < WEAK
    sure = _different(article[~weak], category[~weak], len(packed))
    unsure = _different(article[weak], category[weak], len(packed))
    return _different(row, kind, len(packed)) + sure + np.maximum(unsure - ~beside_others, 0)


def _different(article: npt.NDArray[np.int32], kind: npt.NDArray[np.int64], count: int) -> Offsets:
    """How many different kinds each of `count` texts has: int64[count]."""
    kinds = int(kind.max()) + 1 if len(kind) else 1
    return np.bincount(np.unique(article.astype(np.int64) * kinds + kind) // kinds, minlength=count).astype(np.int64)
