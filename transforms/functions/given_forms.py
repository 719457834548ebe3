"""What normalisation replaced so that it cannot be seen from the text: entities escaped twice, dropped C1 controls.

A removed span can say it, where it stood in one; what was dropped gets a span of its own.
"""

from __future__ import annotations

import functools
import html.entities
import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.functions.cutting import Int32s, Spans, join_spans
from transforms.functions.packed_text import Offsets, PackedText
from transforms.functions.unicode_text import read_controls, settle_text

DROPPED_RULES: dict[str, str] = {"normalise.dropped": "control"}
"""What normalisation drops and says so, by rule id, with its category: controls, and what an escaped ampersand has more
than one that isn't."""

_NO_SEMICOLON = "|".join(sorted(name for name in html.entities.html5 if not name.endswith(";")))
LOST = re.compile(
    r"&(?:(?:amp|AMP|#0{0,5}38|#[xX]0{0,4}26);)+"
    r"(?:#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|[A-Za-z][A-Za-z0-9]{1,31};|(?:nbsp|amp|quot)(?![\w=;])"
    # What would be read as an entity again (`&amp;gtm=1`, where HTML takes `&gt` for one).
    rf"|(?={_NO_SEMICOLON}))"
    r"|[\x80-\x9f]+"
)


@dataclass(frozen=True)
class GivenForms:
    """`article`: int32[k] rows; `start`, `end`: int64[k], where in the packed normal texts that stands which `text`[k]
    became; nothing is left of it where they are equal. In order.
    """

    article: Int32s
    start: Offsets
    end: Offsets
    text: list[str]

    def dropped(self, spans: Spans, tag: int) -> Spans:
        """The spans with one of no length for each form that left nothing, and stands in no span.

        Args:
            spans: settled.
        """
        alone = np.flatnonzero((self.start == self.end) & (self._spans_around(spans) < 0))
        places = np.unique(np.stack([self.article[alone], self.start[alone]]), axis=1)
        some = Spans(places[0].astype(np.int32), places[1], places[1], np.full(places.shape[1], tag, np.int32))
        joined = join_spans([spans, some])
        return joined.take(np.lexsort((joined.end, joined.start, joined.article)))

    def put_into(self, texts: pa.StringArray, packed: PackedText, spans: Spans) -> pa.StringArray:
        """The texts of spans with what was given where they hold what it became.

        Args:
            texts: of the spans, which are settled and as `dropped` gives them.
        """
        around = self._spans_around(spans)
        parts: dict[int, list[int]] = {}
        for form, span in enumerate(around.tolist()):
            if span >= 0:
                parts.setdefault(span, []).append(form)
        changed: list[str] = []
        for span, forms in sorted(parts.items()):
            pieces: list[bytes] = []
            at = int(spans.start[span])
            for form in forms:
                pieces += [packed.data[at : int(self.start[form])].tobytes(), self.text[form].encode()]
                at = int(self.end[form])
            pieces.append(packed.data[at : int(spans.end[span])].tobytes())
            changed.append(b"".join(pieces).decode())
        if not changed:
            return texts
        mask = np.zeros(len(texts), np.bool_)
        mask[sorted(parts)] = True
        return pc.replace_with_mask(texts, pa.array(mask), pa.array(changed, pa.string()))

    def _spans_around(self, spans: Spans) -> Offsets:
        """For each form the span that it stands in, or -1: what left nothing stands between two characters of a span,
        or in a span of no length."""
        empty = spans.start == spans.end
        places = zip(spans.article[empty].tolist(), spans.start[empty].tolist(), strict=True)
        own = dict(zip(places, np.flatnonzero(empty).tolist(), strict=True))
        full = np.flatnonzero(~empty)
        around = np.full(len(self.start), -1, np.int64)
        if len(full):
            nearest = full[np.maximum(np.searchsorted(spans.start[full], self.start, side="right") - 1, 0)]
            inside = (spans.start[nearest] <= self.start) & (self.end <= spans.end[nearest])
            bare = self.start == self.end
            inside &= ~bare | ((spans.start[nearest] < self.start) & (self.end < spans.end[nearest]))
            around = np.where(inside, nearest, around)
        for form in np.flatnonzero((self.start == self.end) & (around < 0)).tolist():
            around[form] = own.get((int(self.article[form]), int(self.start[form])), -1)
        return around


def find_given_forms(given: pa.StringArray, packed: PackedText, rows: Offsets) -> GivenForms | None:
    """What some texts held before normalisation, where `removed` could not tell; None where there is nothing.

    Args:
        given: string[n] as given; packed: the same in normal form; rows: those that may hold such forms.
    """
    article: list[int] = []
    start: list[int] = []
    end: list[int] = []
    text: list[str] = []
    for row in rows.tolist():
        raw = read_controls(given[row].as_py())
        found = list(LOST.finditer(raw))
        if not found:
            continue
        forms = [match.group() for match in found]
        pieces = [_squeeze(raw[last:first]) for last, first in _between([match.span() for match in found], len(raw))]
        became = [_became(form) for form in forms]
        begin, stop = int(packed.offsets[row]), int(packed.offsets[row + 1])
        data = packed.data[begin:stop]
        places = np.flatnonzero((data != 32) & (data != 10)) + begin
        whole = b"".join(piece + form for piece, form in zip(pieces, [*became, b""], strict=True))
        if whole != packed.data[places].tobytes():
            continue  # a form that is whole only with what stands beside it
        at = 0
        for piece, form, normal in zip(pieces, forms, became, strict=False):
            at += len(piece)
            # What begins with what is left of it (`&amp;amp;`) is that and something dropped.
            begins = form.encode().startswith(normal)
            at += len(normal) if begins else 0
            after = int(places[at - 1]) + 1 if at else begin
            first = after if begins else int(places[at])
            at += 0 if begins else len(normal)
            article.append(row)
            start.append(first)
            end.append(after if begins else int(places[at - 1]) + 1)
            text.append(form[len(normal.decode()) :] if begins else form)
    if not article:
        return None
    return GivenForms(np.array(article, np.int32), np.array(start, np.int64), np.array(end, np.int64), text)


def _between(spans: list[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    """The ranges before, between and after some, in order."""
    return list(zip([0, *(last for _, last in spans)], [*(first for first, _ in spans), size], strict=True))


@functools.lru_cache(maxsize=4096)
def _became(form: str) -> bytes:
    """`_squeeze` of a form that is short, and often the same; nothing is left of controls."""
    return b"" if "\x80" <= form[0] <= "\x9f" else _squeeze(form)


def _squeeze(text: str) -> bytes:
    """A text's normal form without blanks and newlines."""
    if text.isascii() and "&" not in text:
        return text.encode().translate(None, _NO_LETTERS)
    return settle_text(text).replace(" ", "").replace("\n", "").encode()


_NO_LETTERS = bytes([*range(33), 127])
