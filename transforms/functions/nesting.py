"""How deep a page's elements are nested, counted before a parser sees it: parsers take the square of it in time."""

from __future__ import annotations

import re

MOST_DEEP = 2000
"""Levels of nesting that are parsed: a thousand nested <div> take resiliparse 0.1 s and ten thousand 10 s. Of 96 real
pages (developers' half) two count more than 120: 157 and 495."""

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")

_HOLDS_NOTHING = (
    *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"),
)
_ENDED_BY_THE_NEXT = (
    *("p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "caption", "colgroup"),
    *("option", "optgroup", "rt", "rp", "html", "head", "body"),
)
_NOT_COUNTED = frozenset((*_HOLDS_NOTHING, *_ENDED_BY_THE_NEXT))


def nesting_depth(page: str, enough: int) -> int:
    """The most elements that are open at once, by the page's tags alone; not counted on beyond `enough`.

    Tags in scripts and comments count too, and so do elements that are never ended: it is a bound from above but for
    elements that need no end tag.
    """
    depth = deepest = 0
    for tag in _TAG.finditer(page):
        closing, name = tag.groups()
        if name.lower() in _NOT_COUNTED:
            continue
        if closing:
            depth = max(0, depth - 1)
        else:
            depth += 1
            if depth > deepest:
                deepest = depth
                if deepest > enough:
                    break
    return deepest
