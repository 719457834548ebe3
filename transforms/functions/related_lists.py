"""Headlines below a label like `Related articles`: a list of other stories, in a text that no shape gives away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from transforms.functions.cutting import Spans
from transforms.functions.line_shapes import CHARACTERS, ENDS, WORDS, measure_lines
from transforms.functions.line_table import LineTable
from transforms.functions.packed_text import PackedText

LABEL_BYTES = 80
"""A longer line that points at other stories names one itself."""
MOST_HEADLINES = 6
LONGEST, FEWEST_WORDS = 110, 3
"""Characters and words of a headline. Not tuned: of the developers' sets hardly any text has such a list that shapes
don't take; paragraphs are longer, or end like a sentence."""


def find_related_lists(packed: PackedText, lines: LineTable, labels: Spans, languages: Sequence[str | None]) -> Spans:
    """The headlines below labels, in texts of a known language that isn't English; tags are 0.

    English labels are mostly followed by the story: `MORE:` and a link stand on one line. Where the story goes on below
    the list its last line may be the story's subheading and stays, but in Arabic, which hardly has any.

    Args:
        labels: what rules of the category `related` cut.
    """
    whole = np.searchsorted(lines.starts, labels.start)
    whole = whole[(whole < len(lines)) & (labels.end - labels.start <= LABEL_BYTES)]
    spoken = np.array([tag is not None and not tag.startswith("en") for tag in languages], np.bool_)
    heads = np.unique(whole[spoken[lines.article[whole]]])
    heads = heads[np.isin(lines.starts[heads], labels.start) & np.isin(lines.ends[heads], labels.end)]
    found: list[int] = []
    for head, row in zip(heads.tolist(), lines.article[heads].tolist(), strict=True):
        below = np.arange(head + 1, min(head + 1 + MOST_HEADLINES, int(lines.first[row + 1])))
        count = _headlines(packed, lines, below)
        heading = count < len(below) and not str(languages[row]).startswith("ar")
        found += below[: count - heading].tolist() if count else []
    at: npt.NDArray[np.int64] = np.unique(np.array(found, np.int64))
    return Spans(lines.article[at], lines.starts[at], lines.ends[at], np.zeros(len(at), np.int32))


def _headlines(packed: PackedText, lines: LineTable, at: npt.NDArray[np.int64]) -> int:
    """How many of some lines, from the first on, read like headlines."""
    shapes = measure_lines(packed, lines.starts[at], lines.ends[at])
    asks = packed.data[lines.ends[at] - 1]
    ended = (shapes[:, ENDS] > 0) & (asks != ord("?")) & (asks != 0x9F)  # the last byte of an Arabic question mark
    like = (shapes[:, WORDS] >= FEWEST_WORDS) & (shapes[:, CHARACTERS] <= LONGEST) & ~ended
    return int(np.argmin(like)) if len(like) and not like.all() else len(like)
