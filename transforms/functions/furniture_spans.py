"""Takes learned furniture out of articles, and puts it back: published text only, never what matching sees.

What is learned changes as articles arrive, so taking out begins with putting back: the outcome depends on the text
after rules and structure and on what is known, not on what was known before.
"""

from __future__ import annotations

import functools
import re

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.settings import CleanSettings, FurnitureSettings
from schemas.tables import REMOVED, REMOVED_SPAN
from transforms.functions.agencies import agency_names
from transforms.functions.cutting import Spans, count_points, cut_spans, settle_spans
from transforms.functions.furniture import Flags, Keys, among, hash_lines, line_keys, source_salts
from transforms.functions.line_table import LineTable, find_lines
from transforms.functions.packed_text import Bytes, Offsets, PackedText, copy_bytes, pack, slices, unpack

LEARNED = "furniture.learned"
KEPT_WHOLE = "furniture.kept_whole"
FURNITURE_RULES: dict[str, str] = {LEARNED: "furniture", KEPT_WHOLE: "flag"}
"""What this module writes into `removed`, by rule id, with its category."""

WIRE_CATEGORIES = ("byline", "credit", "dateline")
"""A line of which one of these was cut opens or closes a story."""

_QUOTED = r"""^[«»‹›"“”„‟‘「『]|["“”»›«」』][\s.,;:!?؟،…]*$"""

Int32s = npt.NDArray[np.int32]


@functools.cache
def _guarded() -> str:
    """RE2: quoted statements, and whatever names a news agency."""
    long = "|".join(re.escape(form).replace("\\ ", " ") for form in sorted(agency_names()) if len(form) > 4)
    short = "|".join(re.escape(form) for form in sorted(agency_names()) if len(form) <= 4)
    return rf"{_QUOTED}|(?i:{long})|(?:^|[^\pL])(?:{short})(?:[^\pL]|$)"


def is_switched_off(settings: CleanSettings) -> bool:
    """Whether nothing learned is to be taken out: below the level `full`, or by rule or category."""
    named = {LEARNED, FURNITURE_RULES[LEARNED]} & set(settings.disabled)
    return settings.level != "full" or bool(named)


def apply_furniture(
    articles: pa.Table, known: pa.Table, settings: FurnitureSettings, lines: pa.ChunkedArray | None = None
) -> pa.Table:
    """Articles without the lines that are furniture of their outlet, at their edges; each span with its rule.

    Not taken: what is quoted, what names a news agency, what a dateline, byline or credit was cut out of, and any
    line of an article that would lose more than `settings.max_removed_share` of its text (it is flagged).

    Args:
        articles: with source, text and removed as in ARTICLE or CLEANED; other columns stay as they are.
        known: KNOWN; what was taken out before and isn't known any more is put back.
        lines: list<uint64>[n] of `hash_lines`, where they are at hand; not looked at if a text has to be put back.
    """
    given = articles
    articles = put_furniture_back(articles)
    keys = np.unique(known.column("line").to_numpy() ^ _salts(known))
    if not len(keys) or not articles.num_rows:
        return articles
    if lines is None or articles is not given:
        parts = [hash_lines(chunk) for chunk in articles.column("text").chunks]
        lines = pa.chunked_array(parts)
    sizes = [len(chunk) for chunk in articles.column("text").chunks]
    done: list[pa.Table] = []
    at = 0
    for size in sizes:
        done.append(_apply(articles.slice(at, size), keys, lines.slice(at, size), settings))
        at += size
    return pa.concat_tables(done)


def _salts(known: pa.Table) -> Keys:
    encoded = known.column("source").combine_chunks().dictionary_encode()
    if not len(encoded):
        return np.zeros(0, np.uint64)
    return source_salts(encoded.dictionary.to_pylist())[encoded.indices.to_numpy()]


def _apply(articles: pa.Table, known: Keys, hashes: pa.ChunkedArray, settings: FurnitureSettings) -> pa.Table:
    keys, _, _, _ = line_keys(articles.column("source"), hashes)
    hit = among(keys, known)
    if not hit.any():
        return articles
    text = articles.column("text").combine_chunks()
    packed = pack(text)
    lines = find_lines(packed)
    removed = Removed.of(articles.column("removed"))
    chosen = np.flatnonzero(hit)
    guarded = pc.match_substring_regex(slices(packed, lines.starts[chosen], lines.ends[chosen]), _guarded())
    chosen = chosen[~guarded.to_numpy(zero_copy_only=False)]
    hit[:] = False
    hit[chosen] = True
    _spare_quoted_and_wire(
        packed.data, lines.starts, lines.ends, lines.first, removed.first, removed.at, removed.is_wire(), hit
    )
    take = np.zeros(len(hit), np.bool_)
    _take_edges(hit, lines.first, settings.edge_lines, take)
    whole = _over_share(packed, lines, take, settings.max_removed_share)
    at = np.flatnonzero(take)
    spans = Spans(lines.article[at], lines.starts[at], lines.ends[at], np.zeros(len(at), np.int32))
    spans = settle_spans(packed, lines, spans)
    cut = cut_spans(packed, spans)
    column = removed.with_spans(packed, spans, whole)
    articles = articles.set_column(articles.schema.get_field_index("text"), articles.field("text"), unpack(cut.kept))
    return articles.set_column(articles.schema.get_field_index("removed"), articles.field("removed"), column)


@numba.njit(nogil=True, cache=True)
def _take_edges(hit: Flags, first: Offsets, edge_lines: int, take: Flags) -> None:
    """Lines from each end on until so many are kept."""
    for row in range(len(first) - 1):
        _take_from(hit, first[row], first[row + 1], 1, edge_lines, take)
        _take_from(hit, first[row + 1] - 1, first[row] - 1, -1, edge_lines, take)


@numba.njit(nogil=True, cache=True)
def _take_from(hit: Flags, begin: int, stop: int, step: int, edge_lines: int, take: Flags) -> None:
    kept = 0
    for line in range(begin, stop, step):
        if hit[line]:
            take[line] = True
        else:
            kept += 1
            if kept == edge_lines:
                return


def _over_share(packed: PackedText, lines: LineTable, take: Flags, most: float) -> npt.NDArray[np.int64]:
    """Which articles would lose more than a share of their bytes, or all; their lines are no longer to be taken."""
    sizes = np.where(take, lines.ends - lines.starts, 0)
    lost = np.bincount(lines.article, sizes, minlength=len(packed))
    over = (lost > most * np.diff(packed.offsets)) | (np.bincount(lines.article[~take], minlength=len(packed)) == 0)
    take &= ~over[lines.article]
    return np.flatnonzero(over)


@numba.njit(nogil=True, cache=True)
def _spare_quoted_and_wire(
    data: Bytes,
    starts: Offsets,
    ends: Offsets,
    first: Offsets,
    span_first: Offsets,
    span_at: Int32s,
    span_is_wire: Flags,
    hit: Flags,
) -> None:
    """Takes the hit off lines inside a quotation that began before and goes on, and off lines that lost a wire span."""
    for row in range(len(first) - 1):
        hits = 0
        for line in range(first[row], first[row + 1]):
            hits += hit[line]
        if hits == 0:
            continue
        span = span_first[row]
        point = 0
        open_mark = 0  # 1: ", 2: “ or „, 3: «
        for line in range(first[row], first[row + 1]):
            point_before, mark_before = point, open_mark
            i = starts[line]
            while i < ends[line]:
                byte = data[i]
                point += (byte & 0xC0) != 0x80
                if byte == 0x22:
                    open_mark = 0 if open_mark == 1 else 1
                elif byte == 0xC2 and (data[i + 1] == 0xAB or data[i + 1] == 0xBB):
                    open_mark = 0 if open_mark == 3 else 3
                elif byte == 0xE2 and data[i + 1] == 0x80:
                    if data[i + 2] == 0x9E or (data[i + 2] == 0x9C and open_mark != 2):
                        open_mark = 2
                    elif data[i + 2] == 0x9C or data[i + 2] == 0x9D:
                        open_mark = 0
                i += 1
            if hit[line] and mark_before and _closes(data, ends[line], ends[first[row + 1] - 1], mark_before):
                hit[line] = False
            while span < span_first[row + 1] and span_at[span] < point_before:
                span += 1
            k = span
            while k < span_first[row + 1] and span_at[k] <= point:
                if span_is_wire[k]:
                    hit[line] = False
                k += 1
            point += 1  # the newline


@numba.njit(nogil=True, cache=True)
def _closes(data: Bytes, begin: int, stop: int, mark: int) -> bool:
    """Whether a quotation mark of a kind stands in a range."""
    for i in range(begin, stop):
        byte = data[i]
        if mark == 1 and byte == 0x22:
            return True
        if mark == 3 and byte == 0xC2 and (data[i + 1] == 0xAB or data[i + 1] == 0xBB):
            return True
        if mark == 2 and byte == 0xE2 and data[i + 1] == 0x80 and (data[i + 2] == 0x9C or data[i + 2] == 0x9D):
            return True
    return False


class Removed:
    """The `removed` column of n articles, unpacked.

    Attributes:
        first: int64[n + 1], spans `first[i]:first[i + 1]` are article i's. at: int32[m] code points.
        rules, categories, texts: string[m].
    """

    def __init__(
        self, first: Offsets, at: Int32s, rules: pa.StringArray, categories: pa.StringArray, texts: pa.StringArray
    ) -> None:
        self.first, self.at, self.rules, self.categories, self.texts = first, at, rules, categories, texts

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> Removed:
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], REMOVED)
        spans = column.flatten()
        first = np.zeros(len(column) + 1, np.int64)
        np.cumsum(column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False), out=first[1:])
        rules, categories, at, texts = (spans.field(name) for name in ("rule", "category", "at", "text"))
        return cls(first, at.to_numpy(zero_copy_only=False), rules, categories, texts)

    def is_wire(self) -> Flags:
        """Which spans say whose and from where a story is, and were not lines of their own."""
        wire = pc.is_in(self.categories, pa.array(WIRE_CATEGORIES))
        alone = pc.match_substring(self.texts, "\n")
        return pc.and_not(wire, alone).to_numpy(zero_copy_only=False)

    def with_spans(self, packed: PackedText, spans: Spans, whole: npt.NDArray[np.int64]) -> pa.ListArray:
        """The column with further spans, cut from the texts that it belongs to.

        Args:
            packed: the texts before the cut. spans: as `settle_spans` gives them. whole: articles to flag, ascending.
        """
        room = len(self.at) + len(spans) + len(self.at)
        source, at = np.empty(room, np.int64), np.empty(room, np.int32)
        begin, stop = np.zeros(room, np.int64), np.zeros(room, np.int64)
        first = np.zeros(len(packed) + 1, np.int64)
        count = _merge(
            packed.data, packed.offsets, spans.article, spans.start, spans.end, self.first, self.at,
            source, at, begin, stop, first,
        )  # fmt: skip
        source, at, begin, stop = source[:count], at[:count], begin[:count], stop[:count]
        article = np.repeat(np.arange(len(packed)), np.diff(first))
        order = np.argsort(np.concatenate([article, whole]), kind="stable")
        fresh = np.flatnonzero(source < 0)
        old = len(self.at)
        source[fresh] = old + np.arange(len(fresh))
        # Behind the old spans stand the new ones' texts, and last a flag's.
        texts = pa.concat_arrays([self.texts, slices(packed, begin[fresh], stop[fresh]), pa.array([""])])
        names = [
            pa.concat_arrays([column, pa.array([learned] * len(fresh) + [flag], pa.string())])
            for column, learned, flag in (
                (self.rules, LEARNED, KEPT_WHOLE),
                (self.categories, FURNITURE_RULES[LEARNED], FURNITURE_RULES[KEPT_WHOLE]),
            )
        ]
        source = np.concatenate([source, np.full(len(whole), old + len(fresh))])[order]
        at = np.concatenate([at, _ends(packed, whole)])[order]
        first[1:] += np.searchsorted(whole, np.arange(len(packed)), "right")
        return _column(first, [names[0], names[1]], at, texts, source)


def _ends(packed: PackedText, rows: npt.NDArray[np.int64]) -> Int32s:
    """Code points of some texts: int32[k]. A flag stands behind all spans, so that their order stays that of `at`."""
    return np.array(
        [count_points(packed.data, packed.offsets[row], packed.offsets[row + 1]) for row in rows.tolist()], np.int32
    )


def _column(
    first: Offsets, names: list[pa.StringArray], at: Int32s, texts: pa.StringArray, source: npt.NDArray[np.int64]
) -> pa.ListArray:
    pick = pa.array(source)
    structs = pa.StructArray.from_arrays(
        [names[0].take(pick), names[1].take(pick), pa.array(at, pa.int32()), texts.take(pick)],
        fields=[REMOVED_SPAN.field(i) for i in range(4)],
    )
    return pa.ListArray.from_arrays(pa.array(first.astype(np.int32)), structs, type=REMOVED)


@numba.njit(nogil=True, cache=True)
def _merge(
    data: Bytes,
    offsets: Offsets,
    article: Int32s,
    start: Offsets,
    end: Offsets,
    old_first: Offsets,
    old_at: Int32s,
    out_source: Offsets,
    out_at: Int32s,
    out_begin: Offsets,
    out_stop: Offsets,
    out_first: Offsets,
) -> int:
    """Old spans and new ones in the order in which they are put back; a new one that holds an old one comes in pieces.

    Writes the old span's number or -1, its place in the cut text, and a new one's bytes in the text before the cut.
    """
    count = 0
    k = 0
    for row in range(len(offsets) - 1):
        out_first[row] = count
        old, stop_old = old_first[row], old_first[row + 1]
        i = offsets[row]
        point = 0
        taken = 0
        while k < len(start) and article[k] == row:
            point += count_points(data, i, start[k])
            size = count_points(data, start[k], end[k])
            while old < stop_old and old_at[old] <= point:
                out_source[count], out_at[count] = old, old_at[old] - taken
                count += 1
                old += 1
            begin, here = start[k], point
            while old < stop_old and old_at[old] < point + size:
                byte = begin
                while here < old_at[old]:
                    byte += 1
                    while (data[byte] & 0xC0) == 0x80:
                        byte += 1
                    here += 1
                if byte > begin:
                    out_source[count], out_at[count] = -1, point - taken
                    out_begin[count], out_stop[count] = begin, byte
                    count += 1
                    begin = byte
                out_source[count], out_at[count] = old, point - taken
                count += 1
                old += 1
            out_source[count], out_at[count] = -1, point - taken
            out_begin[count], out_stop[count] = begin, end[k]
            count += 1
            taken += size
            point += size
            i = end[k]
            k += 1
        while old < stop_old:
            out_source[count], out_at[count] = old, old_at[old] - taken
            count += 1
            old += 1
    out_first[len(offsets) - 1] = count
    return count


def put_furniture_back(articles: pa.Table) -> pa.Table:
    """Articles with their learned furniture in the text again, and no trace of it in `removed`."""
    if not articles.num_rows:
        return articles
    return _put_back(articles, pa.array(list(FURNITURE_RULES)))


def put_all_back(articles: pa.Table) -> pa.Table:
    """Articles with everything in the text again that was taken out of it: the text as it was normalised."""
    if not articles.num_rows:
        return articles
    return _put_back(articles, pc.unique(Removed.of(articles.column("removed")).rules))


def _put_back(articles: pa.Table, rules: pa.StringArray) -> pa.Table:
    """Puts what these rules took out into texts again."""
    if not pc.any(pc.is_in(Removed.of(articles.column("removed")).rules, rules)).as_py():
        return articles
    done: list[pa.Table] = []
    at = 0
    for chunk in articles.column("text").chunks:
        if len(chunk):
            done.append(_put_chunk_back(articles.slice(at, len(chunk)), rules))
        at += len(chunk)
    return pa.concat_tables(done)


def _put_chunk_back(articles: pa.Table, rules: pa.StringArray) -> pa.Table:
    removed = Removed.of(articles.column("removed"))
    ours = pc.is_in(removed.rules, rules).to_numpy(zero_copy_only=False)
    packed, texts = pack(articles.column("text").combine_chunks()), pack(removed.texts)
    sizes = np.where(ours, np.diff(texts.offsets), 0)
    data = np.empty(int(packed.offsets[-1] - packed.offsets[0] + sizes.sum()), np.uint8)
    offsets = np.zeros(len(packed) + 1, np.int64)
    at = np.array(removed.at)
    _insert(packed.data, packed.offsets, removed.first, at, ours, texts.data, texts.offsets, data, offsets)
    first = removed.first - np.append(0, np.cumsum(ours))[removed.first]
    left = np.flatnonzero(~ours)
    column = _column(first, [removed.rules, removed.categories], at[left], removed.texts, left)
    text = unpack(PackedText(data, offsets))
    articles = articles.set_column(articles.schema.get_field_index("text"), articles.field("text"), text)
    return articles.set_column(articles.schema.get_field_index("removed"), articles.field("removed"), column)


@numba.njit(nogil=True, cache=True)
def _insert(
    data: Bytes,
    offsets: Offsets,
    first: Offsets,
    at: Int32s,
    ours: Flags,
    span_data: Bytes,
    span_offsets: Offsets,
    out: Bytes,
    out_offsets: Offsets,
) -> None:
    """Puts our spans into the texts, and moves the places of the others that stand behind them."""
    size = 0
    for row in range(len(offsets) - 1):
        i = offsets[row]
        point = 0
        inserted = 0
        for span in range(first[row], first[row + 1]):
            if not ours[span]:
                at[span] += inserted
                continue
            begin = i
            while point < at[span]:
                i += 1
                while i < offsets[row + 1] and (data[i] & 0xC0) == 0x80:
                    i += 1
                point += 1
            copy_bytes(data[begin:i], out[size : size + i - begin])
            size += i - begin
            bytes_in = span_offsets[span + 1] - span_offsets[span]
            out[size : size + bytes_in] = span_data[span_offsets[span] : span_offsets[span + 1]]
            size += bytes_in
            inserted += count_points(span_data, span_offsets[span], span_offsets[span + 1])
        rest = offsets[row + 1] - i
        copy_bytes(data[i : offsets[row + 1]], out[size : size + rest])
        size += rest
        out_offsets[row + 1] = size
