"""The grammar of markup, a byte at a time: where a tag, a link's target, a definition or a shortcode ends.

Elements of the HTML Living Standard and of HTML 4; links, images and link definitions of CommonMark 0.31; WordPress
shortcodes. Each function looks at one place of packed texts and reads each byte once; a text cannot make it read on.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.packed_text import Bytes, hash_bytes

NONE, BARE, SURE, CAPITAL, OPENS, CLOSES = range(6)
"""What a bracket begins: text; an opening tag without attributes (`<b>`), which a story may speak of; what is nothing
but markup; `<P>` and the like, which may be a stock's symbol; what is markup if its end is there (`[quote]`, `<o:p>`),
and what is if its beginning is (`[/quote]`, `</o:p>`)."""

LINK_BYTES = 1000
"""The longest words of a link, and the longest shortcode."""
TAG_BYTES = 5000
"""The longest tag: images carry lists of addresses."""

BROKEN_BYTES = 64
"""The shortest line of an address that goes on in the next: converters break them at 80 characters, some at less."""

COMMENT_BYTES = 3000
"""The longest comment; what is longer is a page's part, and goes tag by tag."""
SHORT_COMMENT_BYTES = 120

INLINE = (
    "a abbr acronym applet area b base basefont bdi bdo big blink canvas cite code data datalist del dfn em font frame "
    "frameset head html i img input ins kbd label legend link map mark marquee meta meter nobr noframes noscript "
    "optgroup output param path picture progress q rp rt ruby s samp slot small source span strike strong sub sup svg "
    "template time track tt u use var wbr circle rect polygon g"
)
BLOCK = (
    "address article aside audio blockquote body br button caption center col colgroup dd details dialog dir div dl dt "
    "embed fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr iframe li main menu nav object ol "
    "option p pre section select summary table tbody td textarea tfoot th thead title tr ul script style video"
)
_BOOLEAN = (
    "async allowfullscreen autoplay checked compact controls crossorigin default defer disabled hidden ismap itemscope "
    "loop mozallowfullscreen multiple muted nomodule noshade novalidate nowrap open playsinline readonly required "
    "reversed selected webkitallowfullscreen"
)
_CODE_KEYS = "align class height href id ids link name size src title type url width"


def _hash_name(name: str) -> np.uint64:
    code = 14695981039346656037
    for byte in name.encode():
        code = ((code ^ byte) * 1099511628211) % (1 << 64)
    return np.uint64(code)


def _hashes(names: str) -> npt.NDArray[np.uint64]:
    return np.sort(np.array([_hash_name(name) for name in names.split()], np.uint64))


NAMES, BLOCKS, RAW = _hashes(INLINE + " " + BLOCK), _hashes(BLOCK), _hashes("script style")
BLOCK_CODES = _hashes("caption wp_caption embed gallery video audio")
_BOOLEANS, _KEYS, _LONELY, _BREAKS = _hashes(_BOOLEAN), _hashes(_CODE_KEYS), _hashes("p li br hr"), _hashes("br hr")


@numba.njit(nogil=True, cache=True)
def among(names: npt.NDArray[np.uint64], name: np.uint64) -> bool:
    """Whether a hash is one of some, that are sorted."""
    at = np.searchsorted(names, name)
    return bool(at < len(names) and names[at] == name)


@numba.njit(nogil=True, cache=True)
def tag_at(data: Bytes, i: int, stop: int, names: npt.NDArray[np.uint64]) -> tuple[int, int, np.uint64, bool, bool]:
    """What stands at a `<`, where it ends (0), the hash of its name in lower case, whether that is an end tag, and
    whether the name has a dash or colon, as those have that are no HTML.
    """
    k = i + 1
    ends = k < stop and data[k] == 47
    if ends:
        k += 1
    begin = k
    small = capital = odd = False
    while k < stop and k - begin < 40:
        byte = data[k]
        if 97 <= byte <= 122:
            small = True
        elif 65 <= byte <= 90:
            capital = True
        elif k > begin and (byte == 45 or byte == 58):
            odd = True
        elif not (k > begin and 48 <= byte <= 57):
            break
        k += 1
    code = hash_bytes(data, begin, k, True)
    known = among(names, code)
    if k == begin or k >= stop or (small and capital) or (capital and not known):
        return NONE, 0, code, ends, odd
    first = k
    while k < stop and (data[k] == 32 or data[k] == 10 or data[k] == 47):
        k += 1
    if k < stop and data[k] == 62:
        if ends:
            return (SURE if known else CLOSES), k + 1, code, ends, odd
        if capital:
            return (CAPITAL if among(_LONELY, code) else OPENS), k + 1, code, ends, odd
        if known:
            return (SURE if among(_BREAKS, code) else BARE), k + 1, code, ends, odd
        return (OPENS if odd else NONE), k + 1 if odd else 0, code, ends, odd
    if ends or k == first:
        return NONE, 0, code, ends, odd
    after, valued, quoted = attributes_end(data, k, stop)
    if after == 0 and quoted:
        # Quotes within quotes and the like: to the next bracket.
        after = k
        while after < stop and data[after] != 62 and data[after] != 60 and after - k < TAG_BYTES:
            after += 1
        after = after + 1 if after < stop and data[after] == 62 else 0
    if after == 0 or not (known or quoted):
        return NONE, 0, code, ends, odd
    return (SURE if valued or quoted else BARE), after, code, ends, odd


@numba.njit(nogil=True, cache=True)
def attributes_end(data: Bytes, k: int, stop: int) -> tuple[int, bool, bool]:
    """Behind the bracket that ends a tag's attributes (0 where something else stands among them), whether one has a
    value, and whether the first of these is quoted.
    """
    limit = min(stop, k + TAG_BYTES)
    valued = quoted = False
    while k < limit:
        if data[k] == 32 or data[k] == 10 or data[k] == 47:
            k += 1
            continue
        if data[k] == 62:
            return k + 1, valued, quoted
        begin = k
        dashed = False
        while k < limit:
            byte = data[k]
            if not (97 <= byte <= 122 or 65 <= byte <= 90 or byte == 95 or byte == 58 or byte == 64):
                if k == begin or not (48 <= byte <= 57 or byte == 45 or byte == 46):
                    break
                dashed |= byte == 45
            k += 1
        if k == begin:
            return 0, valued, quoted
        if k < limit and data[k] == 61:
            quote = quote_bytes(data, k + 1, limit)
            quoted |= quote > 0 and not valued
            k = value_end(data, k + 1, limit)
            if k == 0:
                return 0, valued, quoted
            valued = True
        elif not (dashed or among(_BOOLEANS, hash_bytes(data, begin, k, True))):
            return 0, valued, quoted
    return 0, valued, quoted


@numba.njit(nogil=True, cache=True)
def quote_bytes(data: Bytes, i: int, stop: int) -> int:
    """How many bytes a quotation mark has that stands here: straight, curly or a double prime; 0 where none does."""
    if i < stop and (data[i] == 34 or data[i] == 39):
        return 1
    if (
        i + 2 < stop
        and data[i] == 0xE2
        and data[i + 1] == 0x80
        and (0x98 <= data[i + 2] <= 0x9F or data[i + 2] == 0xB3)
    ):
        return 3
    return 0


@numba.njit(nogil=True, cache=True)
def value_end(data: Bytes, i: int, stop: int) -> int:
    """Behind an attribute's value, quoted or of one word; 0 where none stands here."""
    size = quote_bytes(data, i, stop)
    if size == 1:
        k = i + 1
        while k < stop and data[k] != data[i]:
            k += 1
        return k + 1 if k < stop else 0
    if size:
        k = i + size
        while k < stop and quote_bytes(data, k, stop) != size:
            k += 1
        return k + size if k < stop else 0
    k = i
    while k < stop and data[k] > 32 and data[k] != 62 and data[k] != 60 and data[k] != 93:
        k += 1
    return k if k > i else 0


@numba.njit(nogil=True, cache=True)
def script_end(data: Bytes, i: int, stop: int, name: np.uint64) -> tuple[int, int]:
    """Where the end tag of a script or style that begins before i stands, and behind it; 0 where there is none."""
    while i + 2 < stop:
        if data[i] == 60 and data[i + 1] == 47:
            k = i + 2
            while k < stop and 97 <= (data[k] | 32) <= 122:
                k += 1
            code = hash_bytes(data, i + 2, k, True)
            while k < stop and data[k] <= 32:
                k += 1
            if code == name and k < stop and data[k] == 62:
                return i, k + 1
        i += 1
    return 0, 0


@numba.njit(nogil=True, cache=True)
def is_code(data: Bytes, i: int, stop: int) -> bool:
    """Whether what stands between a script's tags is no text: nothing, or something with a brace, an equals sign or a
    call, and no end of a paragraph unless it has a brace.
    """
    blank = True
    brace = equals = call = semicolon = paragraph = False
    while i < stop:
        byte = data[i]
        blank &= byte <= 32
        brace |= byte == 123
        equals |= byte == 61
        call |= byte == 40 and i + 1 < stop and data[i + 1] != 32
        semicolon |= byte == 59
        paragraph |= byte == 47 and i + 1 < stop and data[i - 1] == 60 and (data[i + 1] | 32) == 112
        i += 1
    return blank or brace or ((equals or (call and semicolon)) and not paragraph)


@numba.njit(nogil=True, cache=True)
def comment_end(data: Bytes, i: int, stop: int) -> int:
    """Behind the `-->` of a comment; 0 where there is none, or where what would be commented reads as text: it is not
    short, goes over a line's end and has no sign of code or markup.
    """
    begin = i
    newline = code = False
    stop = min(stop, i + COMMENT_BYTES)
    while i + 2 < stop:
        byte = data[i]
        if byte == 45 and data[i + 1] == 45 and data[i + 2] == 62:
            return i + 3 if code or not newline or i - begin <= SHORT_COMMENT_BYTES else 0
        newline |= byte == 10
        code |= byte == 60 or byte == 61 or byte == 123 or byte == 91
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
def is_letter(byte: int) -> bool:
    """Whether a byte is an ASCII letter or digit, or of another script."""
    return bool(48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122 or byte >= 0x80)


@numba.njit(nogil=True, cache=True)
def is_web(data: Bytes, i: int, stop: int) -> bool:
    """Whether `http://` or `https://` stands here."""
    if i + 8 >= stop or data[i] != 104 or data[i + 1] != 116 or data[i + 2] != 116 or data[i + 3] != 112:
        return False
    i += 5 if data[i + 4] == 115 else 4
    return data[i] == 58 and data[i + 1] == 47 and data[i + 2] == 47


@numba.njit(nogil=True, cache=True)
def target_end(data: Bytes, i: int, stop: int, image: bool) -> int:
    """Behind the bracket that ends a link's target, with its title if it has one; 0 where no target begins here.

    A link's is nothing, or an address that says that it is one; an image's may be any word with a stop or a stroke.
    """
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
        address = i < stop and (data[i] == 47 or data[i] == 35 or data[i] == 63)
        address |= i + 1 < stop and data[i] == 46 and (data[i + 1] == 46 or data[i + 1] == 47)
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
            address |= image and (byte == 47 or byte == 46)
            address |= byte == 58 and i + 1 < stop and i > begin and (data[i + 1] == 47 or data[i + 1] > 57)
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
    if k < stop and data[k] == 10 and k - i >= BROKEN_BYTES:
        return _broken_end(data, k, stop)
    if k < stop and data[k] == 32:
        if k + 1 >= stop or (data[k + 1] != 34 and data[k + 1] != 40):
            return _joined_end(data, k, stop) if k - i >= BROKEN_BYTES else 0
        while k < stop and data[k] != 10:
            k += 1
        if data[k - 1] != 34 and data[k - 1] != 41:
            return 0
    return k


@numba.njit(nogil=True, cache=True)
def _broken_end(data: Bytes, i: int, stop: int) -> int:
    """Where an address ends that goes on behind a newline: at most so far as lines are one word, and behind them the
    text ends or a square bracket opens, as the next definition's. Else at the newline."""
    k = i
    while k < stop and k - i < LINK_BYTES:
        begin = k + 1
        if begin == stop or data[begin] == 91:
            return k
        k = begin
        while k < stop and data[k] != 10:
            if data[k] == 32:
                return i
            k += 1
        if k == stop or data[k + 1 if k + 1 < stop else k] == 91:
            return k
        if k - begin < BROKEN_BYTES:
            return i
    return i


@numba.njit(nogil=True, cache=True)
def _joined_end(data: Bytes, i: int, stop: int) -> int:
    """The end of a line, from a blank in it on, that was an address on several lines (`markup.settle_lines`), or 0."""
    while True:
        begin = i + 1
        i = begin
        while i < stop and data[i] != 32 and data[i] != 10:
            i += 1
        if i == stop or data[i] == 10:
            return i
        if i - begin < BROKEN_BYTES:
            return 0


@numba.njit(nogil=True, cache=True)
def shortcode_at(data: Bytes, i: int, stop: int) -> tuple[int, int, np.uint64]:
    """What stands at a square bracket (NONE; OPENS: `[name]`; SURE: `[name key="value"]`; CLOSES: `[/name]`), where it
    ends (0), and the hash of its name. Of keys whose value has no quotes only usual ones count (`[video id=5]`).
    """
    k = i + 1
    closes = k < stop and data[k] == 47
    if closes:
        k += 1
    begin = k
    while k < stop and (97 <= data[k] <= 122 or (k > begin and (data[k] in (45, 95) or 48 <= data[k] <= 57))):
        k += 1
    code = hash_bytes(data, begin, k, False)
    if k - begin < 2 or k >= stop:
        return NONE, 0, code
    if data[k] == 93:
        return (CLOSES if closes else OPENS), k + 1, code
    if closes or data[k] != 32:
        return NONE, 0, code
    stop = min(stop, i + LINK_BYTES)
    while k < stop:
        if data[k] == 93:
            return SURE, k + 1, code
        if data[k] == 32 or data[k] == 47:
            k += 1
            continue
        begin = k
        while k < stop and (97 <= (data[k] | 32) <= 122 or data[k] in (45, 95)):
            k += 1
        if k == begin or k >= stop or data[k] != 61:
            return NONE, 0, code
        if not quote_bytes(data, k + 1, stop) and not among(_KEYS, hash_bytes(data, begin, k, False)):
            return NONE, 0, code
        k = value_end(data, k + 1, stop)
        if k == 0:
            return NONE, 0, code
    return NONE, 0, code
