"""Bytes into text: by byte order mark, as UTF-8 where they are that, by what a page declares, else by detection."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes
from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

SAMPLE_BYTES = 1 << 16
"""Looked at to recognise an encoding. uchardet found the right one for all of 25 Arabic texts of 60 letters."""

DETECTOR_BYTES = 1 << 14
"""Given to charset-normalizer, which takes 1 to 7 ms for it and is only asked where uchardet has no answer."""

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

MAX_CONTROL_SHARE = 0.02
"""Of characters. Text has none or a stray one; compressed or binary data read as any single-byte code has 10 % and up
(32 of 256 values are C0 controls)."""

MIN_LIKELY_SHARE = 0.6
"""Of the characters above ASCII, how many must be letters beside letters or usual marks for a guess to stand."""

REPAIR_SHARE = 0.1
"""UTF-8 with at most this many broken characters for each good one above ASCII is UTF-8, its broken ones U+FFFD."""

RECOGNISED_REPAIR_SHARE = 0.05
"""The same for an encoding that was recognised. One of 69 Chinese pages declares no charset, has 2 broken characters
in 2,800, and was refused as a whole. Not tuned."""

MAX_ACCENT_RUN_SHARE, MIN_ACCENT_RUN = 0.3, 12
"""Of the characters above ASCII, and characters: in runs of four or more accented letters, three of them different,
stands what no Latin alphabet writes, Chinese or Arabic read as windows-1252 (`ÊÐ³¤ÖÜ`). `créée` has two, `Jäääärne`
four equal ones, Turkish `düşüş` letters that aren't counted. Of 214 Chinese texts in GB 18030 with one byte put in
their middle 203 were read so before. Not tuned."""

_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufffd\ufffe\uffff]")
_LIKELY = re.compile(
    "(?<=[^\\W\\d_])[^\x00-\x7fÿþƒˆ\\W\\d_]"
    "|[^\x00-\x7fÿþƒˆ\\W\\d_](?=[^\\W\\d_])"
    "|[\u0600-\u06ff\u2018-\u201f\u2013\u2014\u2026\u2022\u00a0\u00ab\u00bb\u00bf\u00a1\u00b0\u00ba\u00aa\u00a3\u00a9]"
    "|[\u00ae\u2122\u00a7\u00b7\u200c-\u200f\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff00-\uff60]"
    "|(?<![^\\s\\d])€(?!€)"
    "|(?<=[ '’])[àÀéÉèÈóÓíÍúÚöÖåÅøØæÆ]"
)
"""A letter beside a letter, the usual marks, words of one letter. Not ÿ, þ, ƒ and ˆ, which windows-1252 makes of bytes
such as 0xFF and 0xFE that belong to no text."""

_ACCENT_RUN = re.compile("[\u00aa\u00b2\u00b3\u00b5\u00b9-\u011d\u0120-\u012f\u0132-\u015d\u0160-\u024f]{4,}")
"""Without the letters that Turkish has beyond windows-1252 (`ışığı`)."""

_EAST_ASIAN = {"cp949", "euc_kr", "cp932", "shift_jis", "euc_jp", "gb18030", "gbk", "gb2312", "big5"}
"""What charset-normalizer is asked for beside the web's encodings: it knows Korean, which uchardet doesn't."""

_WIDER = {
    "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949", "big5": "big5hkscs",
    "iso8859-11": "cp874",
}  # fmt: skip
"""What browsers decode in place of an encoding of the same name, as pages have it (WHATWG Encoding): in Python's narrow
one the blank `\\xa3\\xa0` is broken, and all that follows it in a line is read a byte too early."""

_AS_BROWSERS = {
    "gb18030": {0xE5E5: 0x3000},  # that blank
    "big5hkscs": {0x2022: 0x2027, 0xFF64: 0xFE51, 0x223C: 0xFF5E},  # the dot in foreign names, a comma, a tilde
}
"""Characters that Python's wide encodings have otherwise than the WHATWG's indexes."""

_META_CHARSET = re.compile(rb"""<meta[^>]{0,400}?charset\s{0,8}=\s{0,8}["']?\s{0,8}([\w.:-]{2,40})""", re.IGNORECASE)
_XML_CHARSET = re.compile(rb"""^\s{0,8}<\?xml[^>]{0,200}?encoding\s{0,8}=\s{0,8}["']([\w.:-]{2,40})""")
_META_BYTES = 4096
"""Browsers look for a charset in the first 1024 bytes; real pages put scripts before it."""


class UndecodableError(ValueError):
    """The bytes are text in no encoding we know."""


def byte_order_mark(data: bytes) -> tuple[str, int] | None:
    """Encoding that a leading mark tells, and the mark's length in bytes; None without a mark."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding, len(mark)
    return None


def sniff_encoding(head: bytes) -> str:
    """Encoding of a JSON file by its first bytes (the mark is not looked at): a Python codec, "utf-8" where nothing
    else is recognised. UTF-16 is told by its zero bytes alone: JSON has quotes and brackets.

    `head` may end within a character.
    """
    head = head[:SAMPLE_BYTES]
    if (wide := _unmarked_utf16(head)) is not None:
        return wide
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    if _nearly_utf8(head) is not None:
        return "utf-8"
    legacy = _recognised(head)
    return "utf-8" if legacy is None or legacy[1].startswith("utf-16") else legacy[1]


def decode_text(data: bytes, expected: str | None = None) -> tuple[str, str]:
    """Text and its encoding.

    Args:
        data: a whole text; a byte order mark is taken off.
        expected: the encoding of the file that the bytes stand in, tried where they aren't UTF-8.

    Raises:
        UndecodableError: the bytes are no text.
    """
    marked = byte_order_mark(data)
    if marked is not None:
        encoding, length = marked
        text = data[length:].decode(encoding, errors="replace")
        return _checked(text), encoding
    wide = _unmarked_utf16(data[:SAMPLE_BYTES])
    if wide is not None:
        return _checked(data.decode(wide, errors="replace")), wide
    try:
        return _checked(data.decode()), "utf-8"
    except UnicodeDecodeError:
        pass
    if expected is not None and expected != "utf-8" and (text_or_none := _strictly(data, expected)) is not None:
        return text_or_none, expected
    repaired = _nearly_utf8(data)
    if repaired is not None:
        return _checked(repaired), "utf-8"
    found = _recognised(data)
    if found is None:
        raise UndecodableError("the bytes are text in no encoding we know")
    return found


def decode_page(data: bytes, declared: str | None = None) -> tuple[str, str]:
    """An HTML page's text and its encoding.

    The mark comes first, then UTF-8 where the bytes are that, then `declared` (of the HTTP header), then the page's
    own `<meta>` or XML declaration (neither if what it declares is Latin and the page isn't), then detection.

    Raises:
        UndecodableError: the bytes are no text.
    """
    doubted: tuple[str, str] | None = None
    if byte_order_mark(data) is None:
        try:
            return _checked(data.decode()), "utf-8"
        except UnicodeDecodeError:
            pass
        for name in (declared, _declared_in(data)):
            narrow = _codec(name)
            if narrow is None or narrow.startswith("utf-16"):
                continue
            text, encoding, broken = _read_as(data, narrow)
            head = text[:SAMPLE_BYTES]
            if broken > REPAIR_SHARE * max(1, _above_ascii(head)) or not _is_text(text):
                continue
            if not _is_misread(head):
                return text, encoding
            doubted = doubted or (text, encoding)
    try:
        return decode_text(data)
    except UndecodableError:
        if doubted is None:
            raise
        return doubted


def _declared_in(page: bytes) -> str | None:
    head = page[:_META_BYTES]
    found = _META_CHARSET.search(head) or _XML_CHARSET.search(head)
    return found[1].decode("ascii", errors="replace") if found else None


def _codec(name: str | None) -> str | None:
    """Python's name of an encoding that the web knows; None for others (which could be anything, even zip)."""
    if not name:
        return None
    known = map_encoding_to_html5(name.strip().lower(), fallback_utf8=False)
    if known is None:
        return None
    try:
        return codecs.lookup(known).name
    except LookupError:
        return None


def _read_as(data: bytes, narrow: str) -> tuple[str, str, int]:
    """The text in the wide encoding of a name, that encoding, and how many characters are broken in the narrow one: in
    the wide one almost every pair of bytes is something."""
    encoding = _WIDER.get(narrow, narrow)
    text = _decoded(data, encoding)
    strict = text if encoding == narrow else data.decode(narrow, errors="replace")
    return text, encoding, strict.count("\ufffd")


def _decoded(data: bytes, encoding: str, errors: str = "replace") -> str:
    """The text, as browsers have it."""
    text = data.decode(encoding, errors=errors)
    table = _AS_BROWSERS.get(encoding)
    return text if table is None else text.translate(table)


def _unmarked_utf16(head: bytes) -> str | None:
    """UTF-16 by its zero bytes: spaces and digits have one, always on the same side, in every script."""
    zeros = head.count(0)
    if zeros * 50 < len(head) or zeros < 2:
        return None
    even = head[::2].count(0)
    odd = zeros - even
    if min(even, odd) * 20 > max(even, odd):
        return None
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    try:
        text = head[: len(head) // 2 * 2].decode(encoding)
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return None
        text = head[: error.start].decode(encoding)
    return encoding if _is_text(text) else None


def _nearly_utf8(data: bytes) -> str | None:
    """UTF-8 with a few broken bytes (a text cut within a character, a stray byte), those as U+FFFD; None if not."""
    text = data.decode(errors="replace")
    broken = text.count("\ufffd")
    return text if broken <= REPAIR_SHARE * (_above_ascii(text) - broken) else None


def _recognised(data: bytes) -> tuple[str, str] | None:
    """Text and encoding by detection; None where no guess reads like text."""
    sample = data[:SAMPLE_BYTES]
    tried: set[str] = set()
    for ask in (_by_uchardet, _by_charset_normalizer, lambda _: "cp1252"):
        encoding = ask(sample)
        if encoding is None or encoding == "utf-8" or encoding in tried:
            continue
        if encoding in _RARE_LATIN and _above_ascii(sample.decode("latin-1")) < FEW_ACCENTS * len(sample):
            encoding = "cp1252"
        tried.add(encoding)
        text, wide, broken = _read_as(data, encoding)
        if wide == "gb18030":
            broken = max(broken, len(_UNUSED.findall(text)))
        broken -= text.endswith("\ufffd")  # it may be cut within its last character
        # What is left to windows-1252 is often no text of it, and a byte that it lacks the one sign of that.
        if broken > (0 if encoding == "cp1252" else RECOGNISED_REPAIR_SHARE * _above_ascii(text)):
            continue
        if _is_likely(text[:SAMPLE_BYTES]):
            return text, wide
    return None


_UNUSED = re.compile("[\ufffd\ue000-\uf8ff]")
"""A byte too many in GB 18030 leaves characters for private use more often than what isn't one at all."""

_RARE_LATIN = frozenset(
    ["iso8859-2", "iso8859-3", "iso8859-4", "iso8859-10", "iso8859-13", "iso8859-14", "iso8859-16", "cp1250", "cp1257"]
)
FEW_ACCENTS = 0.015
"""A text with fewer accented letters than this is English with names in it, which a detector that counts letters
takes for any Latin alphabet (`Íñigo Peña` and `£5` for ISO-8859-10); Czech, Polish and Baltic texts have five
times as many."""


def _by_uchardet(sample: bytes) -> str | None:
    return _codec(detect_encoding(sample))


def _by_charset_normalizer(sample: bytes) -> str | None:
    head = sample[:DETECTOR_BYTES]
    if len(sample) > DETECTOR_BYTES:  # it is strict, so not within a character
        head = head[: max(head.rfind(b" "), head.rfind(b"\n")) + 1] or head
    best = from_bytes(head).best()
    if best is None:
        return "cp949" if _is_korean(sample) else None
    name = codecs.lookup(best.encoding).name
    return name if name in _EAST_ASIAN else _codec(name)


def _is_korean(sample: bytes) -> bool:
    """Korean with a few broken bytes: half of what is above ASCII stands in pairs of syllables."""
    text = sample.decode("cp949", errors="replace")
    return 4 * len(_SYLLABLES.findall(text)) >= _above_ascii(text)


_SYLLABLES = re.compile("[\uac00-\ud7a3]{2}")


def _strictly(data: bytes, encoding: str) -> str | None:
    """The text, where no byte but the last two is wrong."""
    try:
        return _decoded(data, encoding, "strict")
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 2:
            return _decoded(data[: error.start], encoding, "strict") + "\ufffd"
        return None


def _above_ascii(text: str) -> int:
    """How many characters; not by a list of them, which took 0.4 GB for a file of 9 MB."""
    return len(text) - len(text.encode("ascii", errors="ignore"))


def _is_text(text: str) -> bool:
    head = text[:SAMPLE_BYTES]
    return len(_CONTROLS.findall(head)) <= MAX_CONTROL_SHARE * len(head)


def _is_likely(text: str) -> bool:
    likely = len(_LIKELY.findall(text)) >= MIN_LIKELY_SHARE * _above_ascii(text)
    return likely and _is_text(text) and not _is_misread(text)


def _is_misread(text: str) -> bool:
    """Whether another script was read as a Latin one."""
    runs = sum(len(run) for run in _ACCENT_RUN.findall(text) if len(set(run)) >= 3)
    return runs > max(MIN_ACCENT_RUN, MAX_ACCENT_RUN_SHARE * _above_ascii(text))


def _checked(text: str) -> str:
    if not _is_text(text):
        raise UndecodableError("the bytes are control characters rather than text")
    return text
