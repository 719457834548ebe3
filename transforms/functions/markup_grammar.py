"""The grammar of markup, a byte at a time: where a tag, a link's target, a definition or a shortcode ends.

Elements of the HTML Living Standard and of HTML 4; links, images and link definitions of CommonMark 0.31; WordPress
shortcodes. Each function looks at one place of packed texts and reads each byte once; a text cannot make it read on.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.packed_text import Bytes

NONE, BARE, SURE, CLOSES = range(4)
"""What a bracket begins: text; an opening tag or shortcode without attributes, which a story may hold; any other tag,
or a shortcode with attributes; the end of a shortcode."""

LINK_BYTES = 1000
"""The longest words of a link, and the longest shortcode."""
TAG_BYTES = 5000
"""The longest tag: images carry lists of addresses."""

INLINE = (
    "a abbr acronym applet area audio b base basefont bdi bdo big blink button canvas cite code data datalist del dfn "
    "em embed font frame frameset head html i iframe img input ins kbd label legend link map mark marquee meta meter "
    "nobr noframes noscript object optgroup option output param path picture progress q rp rt ruby s samp select slot "
    "small source span strike strong sub sup svg template textarea time track tt u use var video "
    "wbr circle rect polygon g"
)
BLOCK = (
    "address article aside blockquote body br caption center col colgroup dd details dialog dir div dl dt fieldset "
    "figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr li main menu nav ol p pre section summary table "
    "tbody td tfoot th thead title tr ul script style"
)


def _hash_name(name: str) -> np.uint64:
    code = 14695981039346656037
    for byte in name.encode():
        code = ((code ^ byte) * 1099511628211) % (1 << 64)
    return np.uint64(code)


NAMES = np.sort(np.array([_hash_name(name) for name in (INLINE + " " + BLOCK).split()], np.uint64))
BLOCKS = np.sort(np.array([_hash_name(name) for name in BLOCK.split()], np.uint64))
RAW = np.sort(np.array([_hash_name("script"), _hash_name("style")], np.uint64))


@numba.njit(nogil=True, cache=True)
def among(names: npt.NDArray[np.uint64], name: np.uint64) -> bool:
    """Whether a hash is one of some, that are sorted."""
    at = np.searchsorted(names, name)
    return bool(at < len(names) and names[at] == name)


@numba.njit(nogil=True, cache=True)
def tag_at(data: Bytes, i: int, stop: int, names: npt.NDArray[np.uint64]) -> tuple[int, int, np.uint64]:
    """Whether a tag stands at a `<` (NONE, BARE, SURE), where it ends (0), and the hash of its name in lower case."""
    code = np.uint64(14695981039346656037)
    k = i + 1
    closes = k < stop and data[k] == 47
    if closes:
        k += 1
    size = 0
    small = capital = odd = False
    while k < stop and size < 40:
        byte = data[k]
        if 97 <= byte <= 122:
            small = True
        elif 65 <= byte <= 90:
            capital = True
            byte += 32
        elif size and (byte == 45 or byte == 58):
            odd = True
        elif not (size and 48 <= byte <= 57):
            break
        code = (code ^ np.uint64(byte)) * np.uint64(1099511628211)
        size += 1
        k += 1
    if not size or k >= stop or (small and capital):
        return NONE, 0, code
    known = among(names, code)
    if not known and capital:
        return NONE, 0, code
    if data[k] == 62 or (data[k] == 47 and k + 1 < stop and data[k + 1] == 62):
        k += 1 if data[k] == 62 else 2
        if closes:
            return (SURE if known or odd else NONE), k, code
        if not known:
            return NONE, 0, code
        return (SURE if code in (_BR, _HR) else BARE), k, code
    if data[k] != 32 and data[k] != 10:
        return NONE, 0, code
    blank, valued, quoted = True, False, False
    first = k
    while k < stop and k - first <= TAG_BYTES:
        byte = data[k]
        if byte == 62:
            if blank:
                if closes:
                    return (SURE if known or odd else NONE), k + 1, code
                return ((SURE if code in (_BR, _HR) else BARE) if known else NONE), k + 1, code
            return (SURE if not closes and (valued if known else quoted) else NONE), k + 1, code
        if byte == 60:
            break
        if byte == 61 and not blank:
            valued = True
            quoted |= k + 1 < stop and (data[k + 1] == 34 or data[k + 1] == 39)
        if byte != 32 and byte != 10 and byte != 47:
            blank = False
        k += 1
    return NONE, 0, code


_BR, _HR = _hash_name("br"), _hash_name("hr")


@numba.njit(nogil=True, cache=True)
def script_end(data: Bytes, i: int, stop: int, name: np.uint64) -> int:
    """Behind the end tag of a script or style that begins before i; 0 where there is none."""
    while i + 2 < stop:
        if data[i] == 60 and data[i + 1] == 47:
            code = np.uint64(14695981039346656037)
            k = i + 2
            while k < stop and 97 <= (data[k] | 32) <= 122:
                code = (code ^ np.uint64(data[k] | 32)) * np.uint64(1099511628211)
                k += 1
            while k < stop and data[k] == 32:
                k += 1
            if code == name and k < stop and data[k] == 62:
                return k + 1
        i += 1
    return 0


@numba.njit(nogil=True, cache=True)
def comment_end(data: Bytes, i: int, stop: int) -> int:
    """Behind the next `-->`; 0 where there is none."""
    while i + 2 < stop:
        if data[i] == 45 and data[i + 1] == 45 and data[i + 2] == 62:
            return i + 3
        i += 1
    return 0


@numba.njit(nogil=True, cache=True)
def until(data: Bytes, i: int, stop: int, wanted: int) -> int:
    """Behind the first such byte of a line; 0 where the line has none."""
    while i < stop and data[i] != 10:
        if data[i] == wanted:
            return i + 1
        i += 1
    return 0


@numba.njit(nogil=True, cache=True)
def is_web(data: Bytes, i: int, stop: int) -> bool:
    """Whether `http://` or `https://` stands here."""
    if i + 8 >= stop or data[i] != 104 or data[i + 1] != 116 or data[i + 2] != 116 or data[i + 3] != 112:
        return False
    i += 5 if data[i + 4] == 115 else 4
    return data[i] == 58 and data[i + 1] == 47 and data[i + 2] == 47


@numba.njit(nogil=True, cache=True)
def target_end(data: Bytes, i: int, stop: int) -> int:
    """Behind the bracket that ends a link's target, with its title if it has one; 0 where no target begins here."""
    if i < stop and data[i] == 60:
        i += 1
        while i < stop and data[i] != 62:
            if data[i] == 60 or data[i] == 10:
                return 0
            i += 1
        i += 1
    else:
        begin = i
        depth = 0
        address = False
        while i < stop:
            byte = data[i]
            if byte == 41:
                if depth == 0:
                    break
                depth -= 1
            elif byte == 40:
                depth += 1
            elif byte <= 32 or byte == 60 or byte == 91 or byte == 93:
                break
            address |= byte == 47 or byte == 46 or byte == 58 or byte == 35
            i += 1
        if i > begin and not address:
            return 0
    if i < stop and (data[i] == 32 or data[i] == 10) and i + 1 < stop and (data[i + 1] == 34 or data[i + 1] == 39):
        quote = data[i + 1]
        i = until(data, i + 2, min(stop, i + LINK_BYTES), quote)
        if i == 0:
            return 0
    return i + 1 if i < stop and data[i] == 41 else 0


@numba.njit(nogil=True, cache=True)
def label_end(data: Bytes, i: int, stop: int) -> int:
    """Behind a link's label of up to 60 letters, digits and the like in square brackets; 0 where there is none."""
    begin = i
    while i < stop and i - begin <= 60 and data[i] != 91 and data[i] != 10:
        if data[i] == 93:
            return i + 1
        i += 1
    return 0


@numba.njit(nogil=True, cache=True)
def definition_end(data: Bytes, i: int, stop: int) -> int:
    """The end of a line that says what a label stands for (`[1]: https://...`); 0 where it doesn't."""
    k = label_end(data, i + 1, stop)
    if k == 0 or k + 2 >= stop or data[k] != 58 or data[k + 1] != 32:
        return 0
    k += 2
    if data[k] == 60:
        k += 1
    if not (is_web(data, k, stop) or data[k] == 47 or data[k] == 35):
        return 0
    while k < stop and data[k] != 32 and data[k] != 10:
        k += 1
    if k < stop and data[k] == 32:
        if data[k + 1] != 34 and data[k + 1] != 40:
            return 0
        while k < stop and data[k] != 10:
            k += 1
        if data[k - 1] != 34 and data[k - 1] != 41:
            return 0
    return k


@numba.njit(nogil=True, cache=True)
def shortcode_at(data: Bytes, i: int, stop: int) -> tuple[int, int, np.uint64]:
    """Whether a shortcode stands at a square bracket (NONE; BARE: `[name]`; SURE: `[name key=...]`; CLOSES: `[/name]`),
    where it ends (0), and the hash of its name.
    """
    code = np.uint64(14695981039346656037)
    k = i + 1
    closes = k < stop and data[k] == 47
    if closes:
        k += 1
    begin = k
    while k < stop and (97 <= data[k] <= 122 or (k > begin and (data[k] == 95 or 48 <= data[k] <= 57))):
        code = (code ^ np.uint64(data[k])) * np.uint64(1099511628211)
        k += 1
    if k - begin < 2 or k >= stop:
        return NONE, 0, code
    if data[k] == 93:
        return (CLOSES if closes else BARE), k + 1, code
    if closes or data[k] != 32:
        return NONE, 0, code
    k += 1
    begin = k
    while k < stop and (97 <= data[k] <= 122 or data[k] == 95 or data[k] == 45):
        k += 1
    if k == begin or k >= stop or data[k] != 61:
        return NONE, 0, code
    end = until(data, k, min(stop, i + LINK_BYTES), 93)
    return (SURE if end else NONE), end, code
