"""The child process that takes articles out of pages: a request and an answer a page, in frames over its pipes.

Run as `python -m transforms.functions.extraction_worker MEMORY_BYTES`. A frame is four bytes of length (big-endian)
and that much JSON. The first frame out is empty and says that the child is ready.
"""

from __future__ import annotations

import os
import re
import resource
import struct
import sys
from typing import Any, BinaryIO

import orjson

from transforms.functions.nesting import MOST_DEEP, nesting_depth

DATE_PARAMETERS = {"original_date": True, "extensive_search": False, "max_date": "2200-12-31"}
"""A fixed last day, as the default is today; no search in the text, which takes any year in it for the article's."""

SHORT_CHARACTERS = 700
"""Below this trafilatura's slower ways are asked too, and the longer answer taken. Of 990 pages of trafilatura's own
collection 74 are so short; 20 more of the pieces that must be there are then, for 4 more that must not (chosen on half
of the sites: F1 .919 to .922 there, .913 to .915 on the others). On the developers' pages (96) nothing changes up to
890; with 1000 one page more is read so, and wrongly. trafilatura's own limit of this kind is 250."""

HEADLINE_LINES = 3
HEADLINE_LETTERS = 15
"""The title, repeated within the first lines of the text, is left out there: on the developers' pages (96) this lifts
precision from .951 to .957 and costs no recall."""

TABLE_ROWS, TABLE_ROW_CHARACTERS, PROSE_CELL_WORDS = 2, 600, 12
"""A page's tables are kept where so many rows hold two cells or more, half of the rows do, none is longer, and at most
one row in four has a sentence of so many words: else its columns are a table, and the article stands in cells.

Of 990 pages of trafilatura's own collection 36 kept tables before prose was looked for, with 22 more of the pieces that
must be there and 1 more that must not; with 300 characters 33 pages, 18 pieces. None of the developers' pages (96) has
one; with every table kept their bench F1 is .967, not .969."""
LAID_OUT_TIMES = 3
"""A short answer without a sentence is none where there is so many times as much with tables, and no data in them: the
article stands in one that sets the page's columns, as pages of the 2000s have it. (That answer runs its paragraphs
together, so resiliparse is asked.) Of 69 Chinese pages, on which it was found, two are read so, F1 .00 to .94 and .17
to .75; of 990 pages of trafilatura's own collection and 96 of the developers' none. Asked of long answers too it takes
in menus (F1 of a page .99 to .52)."""
MOST_CELLS = 3000
"""A page of more cells, or with one that spans a hundred columns, isn't asked for its tables: that could take all the
time that a page has."""

PAGES_BETWEEN_RESETS = 500

_STATED_DATE = re.compile(
    r"""(?:article:published_time|"datePublished"|itemprop=["']?datePublished)[^>]{0,60}?["']"""
    r"""(\d{4}-\d\d-\d\dT[\d:.]{5,16}(?:Z|[+-]\d\d:?\d\d)?)["']"""
)
_STATED_LANGUAGE = re.compile(
    r"""<html\b[^>]{0,500}?\slang\s{0,4}=\s{0,4}["']?([A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3})""", re.IGNORECASE
)
_HEAD_CHARACTERS = 1 << 18
_NO_WORD = re.compile(r"[\W_]+")
_CELL = re.compile(r"<t[dh]\b", re.IGNORECASE)
_WIDE = re.compile(r"\b(?:col|row)span\s{0,4}=\s{0,4}[\"']?\s{0,4}\d{3}", re.IGNORECASE)
_RULE = re.compile(r"\|(?:[\s:-]*\|)+")
"""The line below a table's head, or an empty row."""


def extract_page(page: str, url: str | None) -> dict[str, Any]:
    """The article of one page: text (one paragraph a line), title, published, byline, source, language and url.

    trafilatura (fast, without comments, of tables only those that hold data) comes first: bench F1 .966 on the
    developers' pages, .960 with its defaults, .969 with the headline left out; resiliparse, which takes more in (.909),
    where that finds nothing.

    Raises:
        ValueError: the page is nested too deep to be parsed in a reasonable time.
    """
    import trafilatura

    if nesting_depth(page, MOST_DEEP) > MOST_DEEP:
        raise ValueError(f"the page's elements are nested more than {MOST_DEEP} deep; expected at most so many")
    options: dict[str, Any] = {
        "url": url,
        "include_comments": False,
        "include_tables": False,
        "with_metadata": True,
        "date_extraction_params": DATE_PARAMETERS,
    }
    found = trafilatura.bare_extraction(page, fast=True, **options)
    if _size(found) < SHORT_CHARACTERS:
        slower = trafilatura.bare_extraction(page, **options)
        found = slower if found is None or _size(slower) > _size(found) else found
    laid_out = False
    if found is not None and 0 < len(_CELL.findall(page)) <= MOST_CELLS and not _WIDE.search(page):
        tabular = trafilatura.bare_extraction(page, fast=True, **options | {"include_tables": True})
        if tabular is not None and _holds_data(tabular.text or ""):
            found = tabular
        else:
            laid_out = _size(found) < SHORT_CHARACTERS and LAID_OUT_TIMES * _size(found) < _size(tabular)
            laid_out = laid_out and not any(map(_is_sentence, (found.text or "").split("\n")))
    own = _without_columns(found.text or "") if found is not None else ""
    text = "" if laid_out else own
    if not text.strip():
        from resiliparse.extract.html2text import extract_plain_text

        text = extract_plain_text(page, main_content=True, alt_texts=False, list_bullets=False)
        text = own if len(text) < _size(found) else text
    title = found.title if found is not None else None
    text = _paragraphs(text, title)
    if not any(_may_be_prose(line) for line in text.split("\n")):
        text = ""
    head = page[:_HEAD_CHARACTERS]
    stated = _STATED_DATE.search(head)
    language = _STATED_LANGUAGE.search(head)
    return {
        "text": text or None,
        "title": title,
        "published": stated[1] if stated else (found.date if found is not None else None),
        "byline": found.author if found is not None else None,
        "source": found.sitename if found is not None else None,
        "language": language[1] if language else None,
        "url": found.url if found is not None else None,
    }


def _size(found: Any) -> int:
    """Characters of trafilatura's answer."""
    return len(found.text or "") if found is not None else 0


def _holds_data(text: str) -> bool:
    """Whether the rows among a text's lines (`| 2014 | 30 % |`) are those of tables that hold data."""
    rows = [_cells(line) for line in text.split("\n") if line.startswith("|") and not _RULE.fullmatch(line)]
    filled = sum(len(row) >= 2 for row in rows)
    prose = sum(any(map(_is_prose, row)) for row in rows)
    longest = max((sum(map(len, row)) for row in rows), default=0)
    return filled >= TABLE_ROWS and 2 * filled >= len(rows) >= 4 * prose and longest <= TABLE_ROW_CHARACTERS


def _is_prose(cell: str) -> bool:
    return cell.endswith(SENTENCE_ENDS) and len(cell.split()) >= PROSE_CELL_WORDS


def _is_sentence(line: str) -> bool:
    """Prose, in a script without spaces too."""
    return _is_prose(line) or (line.endswith(SENTENCE_ENDS) and len(line) >= 5 * PROSE_CELL_WORDS)


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.split("|") if cell.strip()]


def _without_columns(text: str) -> str:
    """Text whose rows are a page's columns, not data, has each cell as a line: trafilatura's slower ways leave them."""
    if "|" not in text or _holds_data(text):
        return text
    lines = (_cells(line) if line.startswith("|") else [line] for line in text.split("\n"))
    return "\n".join(part for parts in lines for part in parts)


def _paragraphs(text: str, title: str | None) -> str:
    """Lines without list marks, empty lines, tables' rules, and the headline among the first."""
    lines = [" ".join(line.split()) for line in text.split("\n")]
    lines = [line.removeprefix("- ") for line in lines if line and line != "-" and not _RULE.fullmatch(line)]
    headline = _folded(title or "")
    kept = []
    for number, line in enumerate(lines):
        if number < HEADLINE_LINES and headline and len(lines) > 1 and _is_headline(_folded(line), headline):
            continue
        kept.append(line)
    return "\n".join(kept or lines)


def _may_be_prose(line: str) -> bool:
    """Not just a menu's words: five words or more, a sentence's end, or as much in a script without spaces."""
    return len(line.split()) >= MENU_WORDS or len(line) >= 5 * MENU_WORDS or line.endswith(SENTENCE_ENDS)


MENU_WORDS = 5
"""A page whose every line is shorter is a menu; each of 96 real pages (developers' half) has a longer line."""

SENTENCE_ENDS = (".", "!", "?", "…", "؟", "。", "！", "？", "।")


def _is_headline(line: str, headline: str) -> bool:
    """Equal, cut, or with a site's name behind it."""
    if len(line) < HEADLINE_LETTERS:
        return line == headline
    return headline.startswith(line) or (line.startswith(headline) and 10 * len(line) < 13 * len(headline))


def _folded(text: str) -> str:
    return _NO_WORD.sub("", text.casefold())


def write_frame(out: BinaryIO, content: bytes) -> None:
    """One frame."""
    out.write(struct.pack(">I", len(content)) + content)
    out.flush()


def read_frame(source: BinaryIO) -> bytes | None:
    """The next frame; None at the end."""
    head = source.read(4)
    if len(head) < 4:
        return None
    return source.read(struct.unpack(">I", head)[0])


def main(arguments: list[str]) -> int:
    """Answers until its input ends."""
    memory_bytes = int(arguments[0])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not stand between the frames
    import resiliparse.extract.html2text  # noqa: F401 - loaded before the limits of time and memory, which are for pages
    import trafilatura.meta

    trafilatura.bare_extraction("<html><body><p>ready</p></body></html>", with_metadata=True)

    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    write_frame(answers, b"")
    pages = 0
    while (frame := read_frame(sys.stdin.buffer)) is not None:
        request = orjson.loads(frame)
        try:
            answer = _on_one_line(extract_page(request["page"], request["url"]))
        except MemoryError:
            return 3  # what is left of this process is not to be trusted
        except Exception as error:  # noqa: BLE001 - libraries on hostile pages: the parent makes it a rejected record
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        try:
            written = orjson.dumps(answer)
        except orjson.JSONEncodeError:  # a lone surrogate out of a character reference
            written = orjson.dumps({key: _encodable(value) for key, value in answer.items()})
        write_frame(answers, written)
        pages += 1
        if pages % PAGES_BETWEEN_RESETS == 0:
            trafilatura.meta.reset_caches()
    return 0


_STRAY = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def _on_one_line(answer: dict[str, Any]) -> dict[str, Any]:
    """What a page says of itself, without signs that could harm where it is shown (as `records.one_line` has it)."""
    return {
        key: " ".join(_STRAY.sub(" ", value).split()) or None if isinstance(value, str) and key != "text" else value
        for key, value in answer.items()
    }


def _encodable(value: Any) -> Any:
    return value.encode("utf-8", errors="replace").decode() if isinstance(value, str) else value


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
