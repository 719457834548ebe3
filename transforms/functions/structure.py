"""Finds furniture by shape and place, in any language: what surrounds the run of lines that reads like an article."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.functions.comment_section import comment_starts
from transforms.functions.cutting import Spans
from transforms.functions.line_shapes import (
    BARS,
    CAPITALS,
    CHARACTERS,
    DIGITS,
    ENDS,
    STOPS,
    WORDS,
    Shapes,
    measure_lines,
)
from transforms.functions.line_table import LineTable
from transforms.functions.packed_text import Bytes, Offsets, PackedText, slices, whole_stops
from transforms.functions.page_tails import behind_furniture, find_teasers, labels_above
from transforms.functions.site_marks import count_site_marks

STRUCTURE_RULES: dict[str, str] = {
    "shape.before": "navigation",
    "shape.after": "navigation",
    "shape.between": "navigation",
    "shape.repeated": "standfirst",
    "shape.comments": "comments",
    "shape.related": "related",
}
"""What this module can cut, by rule id, with its category."""

_BEFORE, _AFTER, _BETWEEN, _REPEATED, _COMMENTS = range(5)

# Log-odds that a line is body, a weight for each of `line_columns`. Logistic regression over lines of l3s_gn1,
# fundus_multi, half of scrapinghub and 500 texts of allsides_en_leftover (236,000 lines; fitted on the sites whose name
# has an even MD5), weighed by the root of their words. On the other sites, before a text had to be a page to be cut: F1
# by characters .91, .95, .88 and .99. `python -m tests.quality.by_source` fits and tests anew, both ways.
_WEIGHTS = np.array(
    [-2.902, 0.670, 0.569, 0.024, -0.121, -0.958, -1.224, -1.511, 0.249, -0.019, 0.250, 0.020, 0.139, 0.049, 0.151,
     0.026, -0.738, -0.662, 0.011, 0.026]
)  # fmt: skip

PAGE_GAIN = 0.5
"""Added to each line's log-odds: body first. With 0.5 .97 to .99 of the body was kept on
the other sites, with 0 .93 to .98."""
PAGE_EVIDENCE = 6.0
"""Evidence against the lines at an edge that it takes to cut them, in a page."""
PAGE_TOP_LINES, PAGE_TOP_EVIDENCE = 5, 12.0
"""A text is a page, not an article, where at least so many lines with so much evidence stand before its body. In what
isn't a page nothing is cut by shape: lists at an article's end (tour dates, prices, results) look like menus."""
SITE_MARKS = 2
LONG_MENU_LINES, LONG_MENU_WORDS, LONG_MENU_DIGITS = 40, 5.0, 0.2
"""It must have so many different marks of a site too, or a menu that long before its body: lines of fewer words on
average, of which fewer hold a digit. Without, recipes, results and lists of products lost their lists: of 2,793 pieces
that 990 pages of trafilatura's own collection must keep, and that it extracts, 71 went by shape; with 1, 2 and 3 marks
29, 10 and 7. Of its 289 pieces that must not be there 8 went by shape, now 1. F1 with 1, 2, 3 and none, all else equal:
l3s_gn1 .9106, .9102, .9089, .9109; fundus_multi .9140, .9140, .9136, .9141; scrapinghub .8482, .8484, .8481, .8478.
That was before a line was one mark at most; since then 2 give .9102, .9138 and .8491."""
TAIL_MARKS = 4
"""A page may begin with its article: then what follows it goes where a text has so many marks of a site, below the
first line that ends an article (`page_tails.ENDING`). Of 58,000 articles of the developers' sets and other collections
77 lose lines at their end with 2, among them lists and a poem, 6 with 3, and with 4 one, a row of share buttons; F1 on
l3s_gn1 (.9112 without) is .9208, .9208 and .9198, .002 of it by what stands before that line, and .0006 of the
bodies."""
BETWEEN_EVIDENCE = 40.0
"""Evidence against lines between body lines; with 20 up to .0005 more of the body went, for .003 precision."""
PROSE_WORDS = 20
"""A line of so many words that ends like a sentence stays, whatever it stands among above the body: it may be the lead,
and a lost lead is worse than a teaser. F1 with 15, 20, 25, 30 words and without this: .9102, .9105, .9105, .9106 and
.9105 on l3s_gn1 (of the body kept .9860, .9857, .9854, .9849 and .9843), .9125, .9126, .9124, .9123 and .9125 on
fundus_multi, .8245, .8252, .8254, .8253 and .8246 on scrapinghub. Below and between the body it costs up to .002."""
GONE_EVIDENCE = 2.0
"""Evidence of each line at the top that rules cut; without, F1 by characters on l3s_gn1 was .905, with 2 .911."""
MIN_LINES = PAGE_TOP_LINES + 2
SHORT_BYTES, SHORT_SURPLUS = 150, 3
"""Lines are measured only of texts in which, down to some line, so many more are short or gone than aren't. In the
developers' sets that leaves out one of 1,304 pages, and of the bytes of articles that aren't pages 71 (English) to 98 %
(Arabic); with 100 bytes it left out 8 pages and 89 % of the English bytes."""
REPEAT_LINES = 5
"""A repeated standfirst or headline stands among the first lines."""
REPEAT_BYTES, REPEAT_LONGEST = 25, 600
"""Letters a repeated line has at least (bytes), and the bytes of the longest line looked at."""


HEADLINE_BYTES = 600
"""The longest headline, and how much is read of the line below it: twice what 20 words take in first lines of the
developers' sets."""
_CONTROLS = "[\x80-\x9f]"
"""What a rule takes out of texts may still stand in a line that becomes a title."""


def find_structure(packed: PackedText, lines: LineTable, cut: Spans, comment_heads: Spans, furniture: Spans) -> Spans:
    """Lines around and between the body, comments, and repeated standfirsts; tags are places in STRUCTURE_RULES.

    Method: the run of lines with the largest sum of scores is the article (maximum subsequence segmentation, Pasternack
    and Roth, WWW 2009), with scores from the lines' shapes; what lies outside goes where the evidence is strong.

    Args:
        cut: what was found before; lines that are gone are passed over.
        comment_heads: those of `cut` that say that comments follow.
        furniture: what rules found that is a site's, as `site_marks` has it.
    """
    gone = _gone_lines(lines, cut)
    comments = comment_starts(packed, lines, gone, _gone_lines(lines, comment_heads))
    commented = ~gone & (np.arange(len(lines)) >= comments[lines.article])
    left = np.flatnonzero(~gone & ~commented)
    article = lines.article[left]
    first = np.searchsorted(article, np.arange(len(lines.first))).astype(np.int64)
    tags = np.full(len(left), -1, np.int64)
    above = _gone_above(lines, gone)[left]
    likely = np.flatnonzero(_may_be_pages(lines.starts[left], lines.ends[left], above, first)[article])
    if len(likely):
        shapes = measure_lines(packed, lines.starts[left[likely]], lines.ends[left[likely]])
        bounds = np.searchsorted(article[likely], np.arange(len(lines.first))).astype(np.int64)
        some = tags[likely]
        opens = np.zeros(len(lines.first) - 1, np.bool_)
        _segment(_score(shapes, article[likely]), shapes[:, WORDS], above[likely], bounds, some, opens)
        teasers = find_teasers(shapes, labels_above(lines, gone, furniture, left[likely]), bounds)
        tags[likely] = _tags_of_pages(packed, lines, left[likely], shapes, furniture, some, teasers, opens)
    _find_repeats(packed.data, lines.starts[left], lines.ends[left], first, tags)
    chosen = np.flatnonzero(tags >= 0)
    at = np.concatenate([left[chosen], np.flatnonzero(commented)])
    tag = np.concatenate([tags[chosen], np.full(len(at) - len(chosen), _COMMENTS)]).astype(np.int32)
    return Spans(lines.article[at], lines.starts[at], lines.ends[at], tag)


def headline_lines(packed: PackedText, lines: LineTable, titles: pa.StringArray, cut: Spans) -> pa.StringArray:
    """For texts without a title: the first line left, where it has a headline's shape; string[n], nulls elsewhere.

    A headline has 3 to 20 words, doesn't end like a sentence (a question may), and is followed by a longer line.
    """
    wanted = np.flatnonzero(titles.is_null().to_numpy(zero_copy_only=False))
    if not len(wanted):
        return pa.nulls(len(packed), pa.string())
    left = np.flatnonzero(~_gone_lines(lines, cut))
    first = np.searchsorted(lines.article[left], np.arange(len(lines.first)))
    wanted = wanted[first[wanted + 1] - first[wanted] >= 2]
    heads = left[first[wanted]]
    fits = lines.ends[heads] - lines.starts[heads] <= HEADLINE_BYTES
    wanted, heads = wanted[fits], heads[fits]
    top = measure_lines(packed, lines.starts[heads], lines.ends[heads])
    short = np.flatnonzero((top[:, WORDS] >= 3) & (top[:, WORDS] <= 20))
    below = left[first[wanted[short]] + 1]
    start, most = lines.starts[below], np.minimum(lines.ends[below], lines.starts[below] + HEADLINE_BYTES)
    after = measure_lines(packed, start, whole_stops(packed.data, start, most))
    short = short[after[:, WORDS] > top[short, WORDS]]
    texts = slices(packed, lines.starts[heads[short]], lines.ends[heads[short]])
    asks = [pc.ends_with(texts, mark).to_numpy(zero_copy_only=False) for mark in "?؟？"]
    kept = np.flatnonzero(np.logical_or.reduce([top[short, ENDS] == 0, *asks]))
    place = np.full(len(packed), -1, np.int64)
    place[wanted[short[kept]]] = kept
    return pc.replace_substring_regex(texts, _CONTROLS, "").take(pa.array(place, mask=place < 0))


def prose_words(
    packed: PackedText, lines: LineTable, cut: Spans, rows: npt.NDArray[np.int64], at_least: int
) -> npt.NDArray[np.float64]:
    """Words of some texts that stand in lines left that end like sentences: float64[len(rows)].

    Args:
        rows: int64, ascending.
        at_least: shorter lines don't count.
    """
    left = np.flatnonzero(~_gone_lines(lines, cut) & np.isin(lines.article, rows))
    shapes = measure_lines(packed, lines.starts[left], lines.ends[left])
    counted = (shapes[:, ENDS] > 0) & (shapes[:, WORDS] >= at_least)
    place = np.searchsorted(rows, lines.article[left])
    words = np.zeros(len(rows))
    np.add.at(words, place[counted], shapes[counted, WORDS])
    return words


def _gone_lines(lines: LineTable, cut: Spans) -> npt.NDArray[np.bool_]:
    order = np.argsort(cut.start, kind="stable")
    return _covered(lines.starts, lines.ends, cut.start[order], cut.end[order])


@numba.njit(nogil=True, cache=True)
def _covered(starts: Offsets, ends: Offsets, cut_start: Offsets, cut_end: Offsets) -> npt.NDArray[np.bool_]:
    """Which lines are wholly inside one cut or a chain of cuts."""
    gone = np.zeros(len(starts), np.bool_)
    k = 0
    for line in range(len(starts)):
        while k < len(cut_start) and cut_end[k] < ends[line] and cut_start[k] < starts[line]:
            k += 1
        reached = starts[line]
        j = k
        while j < len(cut_start) and cut_start[j] <= reached < ends[line]:
            reached = max(reached, cut_end[j])
            j += 1
        gone[line] = reached >= ends[line]
    return gone


def _gone_above(lines: LineTable, gone: npt.NDArray[np.bool_]) -> Offsets:
    """How many lines of its text above each line are gone: int64[m]."""
    counted = np.concatenate([np.zeros(1, np.int64), np.cumsum(gone)])
    return counted[:-1] - counted[lines.first[lines.article]]


@numba.njit(nogil=True, cache=True)
def _may_be_pages(starts: Offsets, ends: Offsets, above: Offsets, first: Offsets) -> npt.NDArray[np.bool_]:
    """Which texts have lines enough, and short ones or gone ones enough at their top, to be pages: bool[n]."""
    found = np.zeros(len(first) - 1, np.bool_)
    for row in range(len(first) - 1):
        if first[row + 1] - first[row] < MIN_LINES:
            continue
        surplus = 0  # of lines left that are short over those that aren't
        for k in range(first[row], first[row + 1]):
            surplus += 1 if ends[k] - starts[k] < SHORT_BYTES else -1
            if surplus + above[k] >= SHORT_SURPLUS:
                found[row] = True
                break
    return found


def _tags_of_pages(
    packed: PackedText,
    lines: LineTable,
    measured: npt.NDArray[np.int64],
    shapes: Shapes,
    furniture: Spans,
    tags: npt.NDArray[np.int64],
    teasers: npt.NDArray[np.bool_],
    opens: npt.NDArray[np.bool_],
) -> npt.NDArray[np.int64]:
    """What lines go as, int64[m], -1 for none: in texts alone that have enough of a site to be pages.

    Args:
        measured: the lines that have shapes, int64[m]; tags: what each would go as, or -1.
        teasers: bool[m], what stands below a label of other stories.
        opens: bool[n], which texts open with furniture, or with what is gone.
    """
    article = lines.article[measured]
    asked = np.zeros(len(packed), np.bool_)
    asked[article[(tags >= 0) | teasers]] = True
    if not asked.any():
        return tags
    marks = count_site_marks(packed, lines, asked, furniture)
    menu = np.flatnonzero(tags == _BEFORE)
    size, words, digits = (
        np.bincount(article[menu], weights=column, minlength=len(packed))
        for column in (None, shapes[menu, WORDS], shapes[menu, DIGITS] > 0)
    )
    long_menu = (size >= LONG_MENU_LINES) & (words < LONG_MENU_WORDS * size) & (digits < LONG_MENU_DIGITS * size)
    pages = np.where(opens, (marks >= SITE_MARKS) | long_menu, marks >= TAIL_MARKS)
    prose = (shapes[:, WORDS] >= PROSE_WORDS) & (shapes[:, ENDS] > 0)
    bare = (tags == _AFTER) & ~opens[article]  # behind an article that nothing stands above
    stays = ~pages[article] | (prose & ((tags == _BEFORE) | bare))
    stays |= bare & ~behind_furniture(lines, furniture, measured, bare)
    settled = np.where(stays, -1, tags)
    settled[teasers & (settled < 0) & (marks >= TAIL_MARKS)[article]] = _AFTER
    return settled


def _score(shapes: Shapes, article: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Log-odds of each line to be body."""
    score = np.zeros(len(shapes))
    for weight, column in zip(_WEIGHTS, line_columns(shapes, article), strict=True):
        score += weight * column
    return score


def line_columns(shapes: Shapes, article: npt.NDArray[np.int32]) -> list[npt.NDArray[np.float64]]:
    """What a line is judged by, a column each, float64[m]: its own shape and those of up to five lines on either side.

    Args:
        shapes: of m lines in order; article: int32[m].
    """
    words = np.log1p(shapes[:, WORDS]).astype(np.float64)
    ends = shapes[:, ENDS].astype(np.float64)
    sentence = words * ends
    capitals = shapes[:, CAPITALS] / np.maximum(shapes[:, WORDS], 1)

    def beside(values: npt.NDArray[np.float64], step: int) -> npt.NDArray[np.float64]:
        moved = np.zeros(len(values))
        if len(values) > abs(step):
            here, there = (
                (slice(step, None), slice(None, -step)) if step > 0 else (slice(None, step), slice(-step, None))
            )
            moved[here] = np.where(article[here] == article[there], values[there], 0)
        return moved

    columns = [
        np.ones(len(words)), words, ends, sentence, np.log1p(shapes[:, STOPS]), capitals, shapes[:, BARS] > 0,
        shapes[:, DIGITS] / np.maximum(shapes[:, CHARACTERS], 1),
    ]  # fmt: skip
    for step in (1, -1, 2, -2):
        columns += [beside(words, step), beside(sentence, step)]
    columns += [beside(capitals, 1), beside(capitals, -1)]
    columns += [
        beside(sentence, 3 * sign) + beside(sentence, 4 * sign) + beside(sentence, 5 * sign) for sign in (1, -1)
    ]
    return columns


@numba.njit(nogil=True, cache=True)
def _segment(
    score: npt.NDArray[np.float64],
    words: npt.NDArray[np.float32],
    above: Offsets,
    first: Offsets,
    tags: npt.NDArray[np.int64],
    opens: npt.NDArray[np.bool_],
) -> None:
    for row in range(len(first) - 1):
        begin, stop = first[row], first[row + 1]
        if stop - begin < MIN_LINES:
            continue
        total = lowest = best = best_low = 0.0
        low_at = start = begin
        end = begin
        for k in range(begin, stop):
            total += _evidence(score[k], words[k])
            if total - lowest > best:
                best, best_low, start, end = total - lowest, lowest, low_at, k + 1
            if total < lowest:
                lowest, low_at = total, k + 1
        if end == begin:
            continue
        top = start - begin + above[start]
        if total - (best_low + best) < -PAGE_EVIDENCE:
            for k in range(end, stop):
                tags[k] = _AFTER
        if top < PAGE_TOP_LINES or best_low - GONE_EVIDENCE * above[start] > -PAGE_TOP_EVIDENCE:
            continue
        opens[row] = True
        for k in range(begin, start):
            tags[k] = _BEFORE
        k = start
        while k < end:
            if score[k] + PAGE_GAIN >= 0:
                k += 1
                continue
            total = lowest = 0.0
            low_at = k
            m = k
            while m < end and total <= lowest + PAGE_EVIDENCE:
                total += _evidence(score[m], words[m])
                m += 1
                if total < lowest:
                    lowest, low_at = total, m
            if lowest < -BETWEEN_EVIDENCE:
                for m in range(k, low_at):
                    tags[m] = _BETWEEN
            k = max(low_at, k + 1)


@numba.njit(nogil=True, cache=True, inline="always")
def _evidence(score: float, words: float) -> float:
    return min(max(score + PAGE_GAIN, -4.0), 4.0) * np.sqrt(words + 1.0)


@numba.njit(nogil=True, cache=True)
def _find_repeats(data: Bytes, starts: Offsets, ends: Offsets, first: Offsets, tags: npt.NDArray[np.int64]) -> None:
    """Marks a first line that says what one before it says, letters and digits alone compared."""
    hashes = np.zeros(REPEAT_LINES, np.uint64)
    heads = np.zeros(REPEAT_LINES, np.uint64)
    for row in range(len(first) - 1):
        begin, stop = first[row], min(first[row + 1], first[row] + REPEAT_LINES)
        alike = False
        for k in range(begin, stop):
            heads[k - begin] = _hash_letters(data, starts[k], ends[k], REPEAT_BYTES)
            for j in range(k - begin):
                alike |= heads[j] == heads[k - begin] and heads[j] != 0
        if not alike:  # in most texts no two lines begin alike, and their rest need not be read
            continue
        for k in range(begin, stop):
            hashes[k - begin] = _hash_letters(data, starts[k], ends[k], REPEAT_LONGEST)
            for j in range(k - begin):
                if hashes[j] == hashes[k - begin] and hashes[j] != 0 and tags[k] < 0 and tags[begin + j] < 0:
                    tags[k] = 3
                    break


@numba.njit(nogil=True, cache=True)
def _hash_letters(data: Bytes, i: int, stop: int, most: int) -> np.uint64:
    """A hash of the first `most` letters and digits of a line; 0 where it has too few, or is too long."""
    code = np.uint64(14695981039346656037)
    size = 0
    if stop - i > REPEAT_LONGEST:
        return np.uint64(0)
    while i < stop and size < most:
        byte = data[i]
        i += 1
        if byte == 0xE2 and data[i] == 0x80:  # General Punctuation: quotes and dashes of any style
            i += 2
            continue
        if 65 <= byte <= 90:
            byte += 32
        elif byte < 0x80 and not (48 <= byte <= 57 or 97 <= byte <= 122):
            continue
        code = (code ^ np.uint64(byte)) * np.uint64(1099511628211)
        size += 1
    return code if size >= REPEAT_BYTES else np.uint64(0)
