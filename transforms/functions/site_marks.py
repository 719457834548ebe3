"""How much tells that a text is a site's whole page: furniture of different kinds, and its sections' names as lines."""

from __future__ import annotations

import functools
import tomllib
from importlib import resources

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.functions.cutting import Spans
from transforms.functions.packed_text import Offsets, PackedText, slices

SITE_CATEGORIES = frozenset({
    "advert", "comments", "consent", "contact", "copyright", "navigation", "newsletter", "related", "share", "social",
    "tags", "timestamp",
})  # fmt: skip
"""What rules of these cut is a site's; captions, credits and datelines are a story's."""

SECTION_BYTES, ROW_BYTES = 48, 400
"""The longest line looked up, and the longest row of a table (`| Home | Sport |`), cell by cell: pages are laid out in
tables too. The longest name has 38 bytes, with room for what decorates it; a menu in a row has ten names and more."""

_DECORATION = "*-–—•·|<>«»‹›#[](){}0123456789:.…▼▾+×☰ \t"


@functools.cache
def _sections() -> pa.StringArray:
    """All names in `rules/sections.toml`, of all languages: a line's language isn't known when menus mix them."""
    read = tomllib.loads((resources.files("transforms.rules") / "sections.toml").read_text(encoding="utf-8"))
    return pa.array(sorted({name for names in read["sections"].values() for name in names}))


def count_site_marks(
    packed: PackedText, starts: Offsets, ends: Offsets, article: npt.NDArray[np.int32], furniture: Spans
) -> Offsets:
    """Different marks of a site in each text: int64[n], rules that found its furniture and sections that lines name.

    A row of empty cells is one more: what is left of a page laid out in a table.

    Args:
        starts, ends, article: of the lines that may name sections; none is empty.
        furniture: what rules of SITE_CATEGORIES cut, by rule in `tag`.
    """
    size, is_row = ends - starts, packed.data[starts] == _BAR
    some = np.flatnonzero(size <= np.where(is_row, ROW_BYTES, SECTION_BYTES))
    cells = pc.split_pattern(slices(packed, starts[some], ends[some]), "|")
    cell = pc.utf8_trim_whitespace(pc.list_flatten(cells))
    words = pc.utf8_lower(pc.utf8_trim(cell, characters=_DECORATION))
    line = pc.list_parent_indices(cells).to_numpy()
    named = pc.fill_null(pc.index_in(words, value_set=_sections()), -1).to_numpy().astype(np.int64)
    filled = np.bincount(line, weights=pc.binary_length(cell).to_numpy() > 0, minlength=len(some))
    empty = some[is_row[some] & (filled == 0)]
    at = np.flatnonzero(named >= 0)
    row = np.concatenate([article[some[line[at]]], article[empty]])
    kind = np.concatenate([named[at], np.full(len(empty), len(_sections()), np.int64)])
    return _different(row, kind, len(packed)) + _different(
        furniture.article, furniture.tag.astype(np.int64), len(packed)
    )


_BAR = ord("|")


def _different(article: npt.NDArray[np.int32], kind: npt.NDArray[np.int64], count: int) -> Offsets:
    """How many different kinds each of `count` texts has: int64[count]."""
    kinds = int(kind.max()) + 1 if len(kind) else 1
    return np.bincount(np.unique(article.astype(np.int64) * kinds + kind) // kinds, minlength=count).astype(np.int64)
