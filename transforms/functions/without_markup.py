"""Texts as they read without their markup, and the way back: what is cut from one said of the other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.functions.cutting import Spans, cut_spans, join_spans, keep_composed, settle_spans
from transforms.functions.line_table import find_lines
from transforms.functions.markup import MARKUP_RULES, Markup, marked_texts
from transforms.functions.packed_text import Offsets, PackedText


@dataclass(frozen=True)
class WithoutMarkup:
    """`given`: packed texts in normal form. `markup`: what was cut out of them, settled, tags as in MARKUP_RULES.
    `left`: the texts without it, in normal form too.
    """

    given: PackedText
    markup: Spans
    left: PackedText

    def spans_of_given(self, spans: Spans, first_tag: int) -> Spans:
        """What is cut from the given texts in all, settled, for what is to be cut from `left`.

        Markup inside a span goes with it, as part of its text.

        Args:
            spans: of `left`, settled; first_tag: what the tags of markup are counted from.
        """
        sizes = self.markup.end - self.markup.start
        before = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        stands = self.markup.start - before[:-1]  # where in `left` each stood
        start = spans.start + before[np.searchsorted(stands, spans.start, side="right")]
        end = spans.end + before[np.searchsorted(stands, spans.end, side="left")]
        inside = _are_inside(self.markup.start, start, end)
        markup = self.markup.take(~inside)
        moved = Spans(spans.article, start, end, spans.tag)
        joined = join_spans([moved, markup.tagged_from(first_tag)])
        return joined.take(np.argsort(joined.start, kind="stable"))


def strip_markup(packed: PackedText, found: Markup, switched_off: Collection[str]) -> WithoutMarkup | None:
    """Texts without their markup, or None where they hold none; a text that is nothing else keeps it.

    Args:
        packed: in normal form; found: their markup.
        switched_off: rules and categories that don't apply.
    """
    if not len(found):
        return None
    applies = np.array([not {rule, category} & set(switched_off) for rule, category in MARKUP_RULES.items()])
    found = found.take(applies[found.tag])
    rows, some, here = marked_texts(packed, found)
    spans = Spans(here.article, here.start, here.end, here.tag)
    spans = keep_composed(some, settle_spans(some, find_lines(some), spans))
    taken = np.bincount(spans.article, weights=spans.end - spans.start, minlength=len(some))
    spans = spans.take(taken[spans.article] < np.diff(some.offsets)[spans.article])
    if not len(spans):
        return None
    by = (packed.offsets[rows] - some.offsets[:-1])[spans.article]
    spans = Spans(rows[spans.article].astype(np.int32), spans.start + by, spans.end + by, spans.tag)
    return WithoutMarkup(packed, spans, cut_spans(packed, spans).kept)


def _are_inside(at: Offsets, start: Offsets, end: Offsets) -> npt.NDArray[np.bool_]:
    """Which positions lie in one of some ranges, that are in order and don't overlap."""
    nearest = np.searchsorted(start, at, side="right") - 1
    inside: npt.NDArray[np.bool_] = (nearest >= 0) & (at < end[nearest]) if len(start) else np.zeros(len(at), np.bool_)
    return inside
