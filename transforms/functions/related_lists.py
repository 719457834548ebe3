"""Headlines below a label like `Related articles`: a list of other stories, in a text that no shape gives away."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.functions.cutting import Spans
from transforms.functions.language import Tags, spoken
from transforms.functions.line_shapes import CHARACTERS, ENDS, WORDS, measure_lines
from transforms.functions.line_table import LineTable
from transforms.functions.packed_text import PackedText

LABEL_BYTES = 80
"""A longer line that points at other stories names one itself."""
MOST_HEADLINES = 6
LONGEST, FEWEST_WORDS = 110, 3
"""Characters and words of a headline. Not tuned: of the developers' sets hardly any text has such a list that shapes
don't take; paragraphs are longer, or end like a sentence."""


def label_lines(lines: LineTable, labels: Spans) -> npt.NDArray[np.int64]:
    """The lines that are nothing but a label: int64[k], ascending, each once.

    Args:
        labels: what rules of the category `related` cut.
    """
    at = np.searchsorted(lines.starts, labels.start, "right") - 1
    whole = (labels.start == lines.starts[at]) & (labels.end == lines.ends[at])
    return np.unique(at[whole & (labels.end - labels.start <= LABEL_BYTES)])


def find_related_lists(packed: PackedText, lines: LineTable, labels: Spans, languages: Tags) -> Spans:
    """The headlines below labels, in texts of a known language that isn't English; tags are 0.

    English labels are mostly followed by the story: `MORE:` and a link stand on one line. Where the story goes on below
    the list its last line may be the story's subheading and stays, but in Arabic, which hardly has any.

    Args:
        labels: what rules of the category `related` cut.
    """
    heads = label_lines(lines, labels)
    heads = heads[spoken(languages, but="en")[lines.article[heads]]]
    rows = lines.article[heads]
    ends = np.minimum(heads + 1 + MOST_HEADLINES, lines.first[rows + 1])
    below = heads[:, None] + np.arange(1, MOST_HEADLINES + 1)
    there = below < ends[:, None]
    at = np.where(there, below, heads[:, None])
    like = _read_like_headlines(packed, lines, at.ravel()).reshape(at.shape) & there
    counts = np.where(like.all(axis=1), MOST_HEADLINES, np.argmin(like, axis=1))
    arabic = np.array([*(name.startswith("ar") for name in languages.names), False], np.bool_)[languages.places[rows]]
    counts -= (counts < ends - heads - 1) & ~arabic
    found: npt.NDArray[np.int64] = np.unique(below[np.arange(MOST_HEADLINES) < counts[:, None]])
    return Spans(lines.article[found], lines.starts[found], lines.ends[found], np.zeros(len(found), np.int32))


def _read_like_headlines(packed: PackedText, lines: LineTable, at: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which of some lines have a headline's words and end like none of a sentence, or like a question."""
    shapes = measure_lines(packed, lines.starts[at], lines.ends[at])
    last = packed.data[lines.ends[at] - 1]
    ended = (shapes[:, ENDS] > 0) & (last != ord("?")) & (last != 0x9F)  # the last byte of an Arabic question mark
    found: npt.NDArray[np.bool_] = (shapes[:, WORDS] >= FEWEST_WORDS) & (shapes[:, CHARACTERS] <= LONGEST) & ~ended
    return found
