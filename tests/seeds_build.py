"""Makes every input file of `seeds/articles` and `seeds/refused` from the texts in `tests/seeds_sources`.

    python tests/seeds_build.py            writes seeds/
    python tests/seeds_build.py --check    compares seeds/ with what would be written, and the answers with the texts

The same sources give the same bytes: no clock, no random. The answers in `seeds/expected` are made by hand; nothing
here writes them. `--check` only recounts them (word 5-shingles of the texts, before any furniture is put around them).
"""

from __future__ import annotations

import gzip
import hashlib
import html
import io
import json
import re
import sys
import tomllib
import unicodedata
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "seeds_sources"
SEEDS = HERE.parent / "seeds"

Record = dict[str, Any]
TEXTS: dict[str, dict[str, str]] = {}
for _name in ("english.toml", "arabic.toml"):
    TEXTS |= tomllib.loads((SOURCES / _name).read_text(encoding="utf-8"))

OTHER_SCRIPTS: dict[str, Record] = tomllib.loads((SOURCES / "other_scripts.toml").read_text(encoding="utf-8"))

REWRITTEN: dict[str, Record] = tomllib.loads((SOURCES / "rewritten.toml").read_text(encoding="utf-8"))

RECORDS: dict[str, Record] = tomllib.loads((SOURCES / "records.toml").read_text(encoding="utf-8"))

TRUTH: dict[str, list[str]] = {}
"""The clean paragraphs of every good article by its key in the answers, for `--check`."""


# Texts and their versions.


def paragraphs(story: str, *which: int) -> list[str]:
    """The paragraphs of a story by number from 1; all of them when no number is given."""
    every = TEXTS[story]["text"].strip().split("\n")
    return [every[number - 1] for number in which] if which else every


def title(story: str) -> str:
    return TEXTS[story]["title"]


def truth(key: str, body: list[str]) -> list[str]:
    """Remembers the clean text of an article, and hands it back."""
    if key in TRUTH and TRUTH[key] != body:
        raise ValueError(f"two different texts for {key}")
    TRUTH[key] = body
    return body


def whole(key: str, story: str) -> list[str]:
    """Every paragraph of a story, as the clean text of the article `key`."""
    return truth(key, paragraphs(story))


def lines(*parts: str | Iterable[str]) -> str:
    found: list[str] = []
    for part in parts:
        found.extend([part] if isinstance(part, str) else part)
    return "\n".join(found)


def led(dateline: str, body: list[str]) -> list[str]:
    """A dateline before the first paragraph."""
    return [dateline + body[0], *body[1:]]


def replaced(body: list[str], changes: Mapping[str, str]) -> list[str]:
    """The paragraphs with each of the texts changed; every one of them must occur."""
    text = "\n".join(body)
    for old, new in changes.items():
        if old not in text:
            raise ValueError(f"nothing to replace: {old}")
        text = text.replace(old, new)
    return text.split("\n")


def respelled(body: list[str]) -> list[str]:
    """As a newspaper that writes no hamza on alef, final ya without dots, ta marbuta as ha, and stretches words."""
    text = "\n".join(body)
    for old, new in (("السد ", "الســـد "), ("المياه", "الميــاه"), ("وقال", "وقـال"), ("المئة", "المئـة")):
        text = text.replace(old, new)
    text = re.sub("[أإآ]", "ا", text)
    return re.sub(r"ي\b", "ى", re.sub(r"ة\b", "ه", text)).split("\n")


MARKED = {
    "الهيئة العامة": "الهَيْئَة العامّة",
    "السيول": "السُّيول",
    "الحرملي": "الحَرْمَلي",
    "عمل": "عَمَل",
    "شيخ": "شَيْخ",
    "قادر": "قادِر",
    "وكانت": "وكانَتْ",
    "تصدع": "تَصَدَّعَ",
    "بدلنا": "بَدَّلْنا",
    "نسمة": "نَسَمة",
    "يعد": "يُعَدّ",
}


def marked(body: list[str]) -> list[str]:
    """As a text copied from a page for learners: vowel marks, direction marks, Arabic-Indic digits."""
    text = "\n".join(body)
    for old, new in MARKED.items():
        text = text.replace(old, new)
    text = re.sub(r"\d+", lambda found: "\u200e" + found.group() + "\u200e", text)
    # One number only: a checker that doesn't fold digits must still see nearly the same text.
    arabic_indic = {ord(digit): 0x660 + int(digit) for digit in "0123456789"}
    text = re.sub(r"[0-9]+", lambda found: found.group().translate(arabic_indic), text, count=1)
    return re.sub(r'([:"،])', "\u200f\\1", text).split("\n")


def _presentation_forms() -> dict[tuple[str, str], str]:
    found = {}
    for code in range(0xFE80, 0xFEFD):
        shape, *letters = unicodedata.decomposition(chr(code)).split()
        found["".join(chr(int(letter, 16)) for letter in letters), shape.strip("<>")] = chr(code)
    return found


FORMS = _presentation_forms()


def _joins_next(letter: str) -> bool:
    return (letter, "initial") in FORMS


def shaped(text: str) -> str:
    """Every Arabic letter as the presentation form of its place, lam-alef as one sign, as old systems store it."""
    units = re.findall("ل[اأإآ]|.", text, re.DOTALL)
    made = []
    for at, unit in enumerate(units):
        before = at > 0 and _joins_next(units[at - 1]) and ((unit, "final") in FORMS)
        after = at + 1 < len(units) and _joins_next(unit) and ((units[at + 1], "final") in FORMS)
        shape = {(False, False): "isolated", (True, False): "final", (False, True): "initial", (True, True): "medial"}
        made.append(FORMS.get((unit, shape[before, after]), unit))
    return "".join(made)


# Forms of files.


def record(key: str, body: list[str], text: str, **given: Any) -> Record:
    """One article under the contract's own field names; `renamed` gives it the names of its file."""
    truth(key, body)
    own = given or RECORDS[key]
    row = {name: own.get(name) for name in ("id", "url", "source", "title")}
    return row | {"text": text, "published_at": own["date"], "language": own.get("lang")}


def renamed(rows: Iterable[Record], names: Mapping[str, str]) -> list[Record]:
    return [{names.get(key, key): value for key, value in row.items()} for row in rows]


def jsonl(rows: Iterable[Any]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, 9, mtime=0)


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=9).compress(data)


def parquet(rows: list[Record], schema: pa.Schema) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), sink, compression="zstd")
    return sink.getvalue()


def avro(rows: list[Record], fields: list[Any]) -> bytes:
    schema = {"type": "record", "name": "Article", "fields": fields}
    marker = hashlib.md5(json.dumps(schema).encode(), usedforsecurity=False).digest()
    sink = io.BytesIO()
    fastavro.writer(sink, fastavro.parse_schema(schema), rows, codec="deflate", sync_marker=marker)
    return sink.getvalue()


def page(name: str, body: list[str]) -> str:
    """A page of `seeds_sources/pages` with the paragraphs put in: {{inline 1}}, {{2-4}}."""
    text = (SOURCES / "pages" / f"{name}.html").read_text(encoding="utf-8")
    text = re.sub(r"\{\{inline (\d+)\}\}", lambda found: html.escape(body[int(found[1]) - 1], quote=False), text)

    def several(found: re.Match[str]) -> str:
        chosen = body[int(found[1]) - 1 : int(found[2])]
        return "\n".join(f"<p>{html.escape(paragraph, quote=False)}</p>" for paragraph in chosen)

    return re.sub(r"\{\{(\d+)-(\d+)\}\}", several, text)


def warc_record(kind: str, uri: str, content_type: str, block: bytes, date: str) -> bytes:
    digest = hashlib.sha256(kind.encode() + uri.encode() + block).hexdigest()
    name = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
    head = ["WARC/1.0", f"WARC-Type: {kind}", f"WARC-Record-ID: <urn:uuid:{name}>", f"WARC-Date: {date}"]
    if uri:
        head.append(f"WARC-Target-URI: {uri}")
    head += [f"Content-Type: {content_type}", f"Content-Length: {len(block)}", "", ""]
    return "\r\n".join(head).encode() + block + b"\r\n\r\n"


def warc(date: str, pages: Iterable[tuple[str, bytes, str]]) -> list[bytes]:
    """The records of a crawl: a warcinfo, then request and response of every (uri, page, content type)."""
    found = [
        warc_record(
            "warcinfo",
            "",
            "application/warc-fields",
            b"software: seeds_build\r\nformat: WARC File Format 1.0\r\n",
            date,
        )
    ]
    for uri, body, kind in pages:
        path, host = "/" + uri.split("/", 3)[3], uri.split("/")[2]
        asked = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        given = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        found.append(warc_record("request", uri, "application/http; msgtype=request", asked, date))
        found.append(warc_record("response", uri, "application/http; msgtype=response", given, date))
    return found


# The good files.


def agencies() -> bytes:
    ferry, battery, dam, port = (paragraphs(name) for name in ("ferry", "battery", "dam", "port"))
    return jsonl(
        [
            record(
                "ferry-wire",
                ferry,
                lines(
                    led("PORT HALDEN, July 14 (Reuters) - ", ferry),
                    "(Reporting by Ilse Marrow in Port Halden; Editing by Tom Quill)",
                ),
            ),
            record(
                "battery-wire",
                battery,
                lines("By CORA WINSLOW, Associated Press", led("ALDER CITY, Kessia (AP) — ", battery)),
            ),
            record("dam-wire", dam, lines("القصيرة 29 محرم 1448 هـ الموافق 14 يوليو 2026 م واس", dam, "// انتهى //")),
            record("port-wire", port, lines(led("رأس الغزال (رويترز) - ", port), "(إعداد مروان شقير للنشرة العربية)")),
        ]
    )


def lowmarsh_courier() -> bytes:
    ferry = paragraphs("ferry")
    local = paragraphs("battery", 1, 2, 4) + paragraphs("battery_local")
    transit, pair = paragraphs("transit"), paragraphs("short_pair")
    rows = [
        record("ferry-verbatim", ferry, lines(led("PORT HALDEN (Reuters) — ", ferry))),
        record(
            "battery-local",
            local,
            lines(
                "By PRIYA LANGFORD and The Associated Press",
                local,
                "Sign up for the Courier's Business Brief, delivered every weekday at 6 a.m.",
            ),
        ),
        record(
            "transit",
            transit,
            lines(
                "By Anselm Duyck",
                "Published 6:00 am, Saturday",
                transit[:3],
                "Story continues below advertisement",
                transit[3:],
                "Follow Anselm Duyck on Mastodon",
            ),
        ),
        record("short-pair-1", pair, lines(pair)),
    ]
    for number in (1, 2):
        body = paragraphs(f"weather_{number}")
        rows.append(record(f"weather-{number}", body, lines(body)))
    return gzipped(
        jsonl(
            renamed(
                rows,
                {
                    "id": "guid",
                    "url": "link",
                    "source": "outlet",
                    "title": "headline",
                    "text": "body",
                    "published_at": "date",
                    "language": "lang",
                },
            )
        )
    )


BATTERY_EDITS = {
    "voted narrowly on Wednesday to strike": "voted by a slim margin Wednesday to strike",
    "added a second week": "added another week",
    "It employs 2,480 people today": "It has 2,480 workers today",
    "On Main Street, storefronts": "Along Main Street, storefronts",
}


def harrowby_echo() -> bytes:
    pair, first, second = (paragraphs(name) for name in ("short_pair", "short_similar_1", "short_similar_2"))
    edited = replaced(paragraphs("battery"), BATTERY_EDITS)
    middle = paragraphs("ferry", 1, 2, 3, 4, 5, 6, 8, 9, 10)
    rows = [
        record("short-pair-2", pair, lines(pair)),
        record("short-similar-1", first, lines(first)),
        record("short-similar-2", second, lines(second)),
        record(
            "battery-edited",
            edited,
            lines(
                led("ALDER CITY, Kessia (AP) — ", edited), "Copyright 2026 The Associated Press. All rights reserved."
            ),
        ),
        record(
            "ferry-middle",
            middle,
            lines(
                "Reuters",
                "Image source, Reuters",
                led("PORT HALDEN - ", middle[:4]),
                "Read more: Tarn market hall reopens after repainting",
                middle[4:],
                "Follow the Echo on Facebook and Instagram",
            ),
        ),
    ]
    return jsonl(
        renamed(
            rows,
            {
                "id": "uuid",
                "url": "source_url",
                "source": "publisher",
                "title": "headline",
                "text": "content",
                "published_at": "published",
            },
        )
    )


def evening_brief() -> bytes:
    own = paragraphs("roundup")
    both = [own[0], *paragraphs("ferry")[:9], *paragraphs("battery")[:9], own[1]]
    battery = paragraphs("battery")
    glued = [*battery]
    glued[2] += "Advertisement"
    glued[6] += "اضافة اعلان"
    rows = [
        record(
            "roundup",
            both,
            lines(
                both, "You are receiving this email because you signed up for Five Minutes Before Dinner. Unsubscribe"
            ),
        ),
        record(
            "battery-glued",
            battery,
            lines(
                led("ALDER CITY, Kessia (AP) — ", glued),
                "Share this article",
                "Facebook",
                "Twitter",
                "LinkedIn",
                "Copy link",
            ),
        ),
    ]
    named = renamed(
        rows,
        {
            "id": "article_id",
            "source": "domain",
            "text": "article",
            "published_at": "date_published",
            "language": "lang",
        },
    )
    return json.dumps(named, ensure_ascii=False, indent=1).encode()


def follow_up() -> bytes:
    own = paragraphs("ferry_update")
    body = [*own[:3], *paragraphs("ferry", 2, 3), own[3], *paragraphs("ferry", 6, 8, 9), own[4]]
    row = record(
        "ferry-update",
        body,
        lines(led("PORT HALDEN, July 15 (Reuters) - ", body), "(Reporting by Ilse Marrow; Editing by Dana Fitch)"),
    )
    return json.dumps(row, ensure_ascii=False).encode()


def daily_archive() -> bytes:
    battery, verdict, slide = paragraphs("battery"), paragraphs("verdict"), paragraphs("slide_a")

    rows = [
        record(
            "battery-verbatim",
            battery,
            lines("By CORA WINSLOW Associated Press", led("ALDER CITY, Kessia (AP) — ", battery)),
        ),
        record("verdict-first", verdict, lines(led("Santa Lirio (AFP) - ", verdict))),
        record("slide-a", slide, lines(slide)),
    ]
    named = renamed(
        rows, {"url": "link", "source": "publisher", "text": "body", "published_at": "published", "language": "lang"}
    )
    schema = pa.schema(
        [
            ("id", pa.string()),
            ("link", pa.string()),
            ("publisher", pa.string()),
            ("title", pa.string()),
            ("body", pa.large_string()),
            ("published", pa.int64()),
            ("lang", pa.string()),
        ]
    )
    return parquet(named, schema)


def coast_archive() -> bytes:
    rows = []
    for number in (1, 2):
        body = paragraphs(f"market_{number}")
        rows.append(record(f"market-{number}", body, lines(body)))
    fire, dam = paragraphs("fire_a"), marked(paragraphs("dam"))
    rows.append(record("fire-a", fire, lines(fire)))
    rows.append(record("dam-marked", dam, lines(led("القصيرة (واس) - ", dam))))
    schema = pa.schema(
        [
            ("id", pa.string()),
            ("url", pa.string()),
            ("source", pa.string()),
            ("title", pa.string()),
            ("text", pa.string()),
            ("published_at", pa.timestamp("ms", tz="UTC")),
            ("language", pa.string()),
        ]
    )
    return parquet(rows, schema)


def _avro_fields(*names: str) -> list[Any]:
    return [{"name": name, "type": ["null", "string"]} for name in names]


def river_papers() -> bytes:
    verdict, slide = paragraphs("verdict"), paragraphs("slide_b")
    own = paragraphs("verdict_local")
    local = [*verdict[:7], *own, verdict[7]]
    cut = paragraphs("battery", 1, 2, 3, 8, 9, 10)
    rows = [
        record("verdict-local", local, lines("By DIEGO ALMARAZ with AFP", local)),
        record(
            "verdict-second", verdict, lines(led("SANTA LIRIO, Andara (AFP) — ", verdict), "Sign up to our newsletter")
        ),
        record("battery-cut", cut, lines(led("ALDER CITY, Kessia (AP) — ", cut))),
        record("slide-b", slide, lines(slide, "Photo gallery: the buried pass", "Most viewed")),
    ]
    fields = [
        *_avro_fields("id", "url", "source", "title", "text"),
        {"name": "published_at", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]},
        *_avro_fields("language"),
    ]
    return avro(rows, fields)


def arabic_archive() -> bytes:
    cut, carpets, fire = paragraphs("port", 1, 2, 7, 8), paragraphs("carpets"), paragraphs("fire_b")
    rows = [
        record("port-cut", cut, lines(led("رأس الغزال (رويترز) - ", cut))),
        record("carpets", carpets, lines("كتبت: نوال الشهابي", carpets, "للمزيد من الأخبار تابعونا على فيسبوك")),
        record("fire-b", fire, lines(fire)),
    ]
    names = {
        "id": "guid",
        "url": "link",
        "source": "outlet",
        "title": "headline",
        "text": "content",
        "published_at": "date",
        "language": "lang",
    }
    return avro(renamed(rows, names), _avro_fields(*names.values()))


def al_manara() -> bytes:
    dam, cut, short = respelled(paragraphs("dam")), paragraphs("dam", 1, 2, 3), paragraphs("short_ar")
    glued = [*cut]
    glued[0] += "اضافة اعلان"
    rows = [
        record("dam-respelled", dam, lines(led("القصيره - واس: ", dam), "شارك هذا الخبر عبر واتساب")),
        record("dam-cut", cut, lines(led("القصيرة (واس) - ", glued), "اقرأ أيضا: موعد صرف معاشات المتقاعدين")),
        record("short-ar-1", short, lines(short)),
    ]
    return jsonl(renamed(rows, {"text": "body", "published_at": "date"}))


PORT_EDITS = {
    "خلال مراسم التوقيع": "أثناء مراسم التوقيع",
    "وينص الاتفاق على": "ويشمل الاتفاق",
    "ويرى محللون": "ويعتقد محللون",
}


def al_rasid() -> bytes:
    dam = paragraphs("dam")
    old = [shaped(paragraph) if at in (0, 3, 5) else paragraph for at, paragraph in enumerate(dam)]
    port, short, falcon = (
        replaced(paragraphs("port"), PORT_EDITS),
        respelled(paragraphs("short_ar")),
        paragraphs("falcon"),
    )
    own = paragraphs("dam_update")
    update = [own[0], own[1], *paragraphs("dam", 2), own[2], *paragraphs("dam", 4, 7), own[3]]
    rows = [
        record("dam-shaped", old, lines(old)),
        record("dam-update", update, lines(update)),
        record(
            "port-edited",
            port,
            lines(led("رأس الغزال (رويترز) - ", port), "لمتابعة آخر الأخبار اشترك في قناتنا على تليغرام"),
        ),
        record("short-ar-2", short, lines(short)),
        record("falcon", falcon, lines(falcon)),
    ]
    return zstd(jsonl(renamed(rows, {"source": "domain", "published_at": "date_published"})))


def pages_in_records() -> bytes:
    verdict, glass = whole("verdict-page", "verdict"), whole("glass", "glass")
    return jsonl(
        [
            {
                "id": "up-8",
                "url": "https://upland-post.example/8",
                "source": "The Upland Post",
                "title": "Mining giant must pay 1.3 bn pesos over poisoned river",
                "raw_html": page("verdict", verdict),
                "published": "2026-07-17T08:15:00Z",
                "lang": "en",
            },
            {
                "id": "lm-3",
                "url": "https://lagoon-messenger.example/3",
                "title": title("glass"),
                "html": page("glass", glass),
                "date": 1783641600,
            },
        ]
    )


WITHOUT_SPACES = ("zh", "ja", "th")
"""A checker that takes words for what stands between spaces gets other shingles of these; so their edited copies are in
tests/functions/test_other_scripts.py, and here only those that are the same for every reader of the store."""


def other_scripts() -> bytes:
    """Persian, Urdu, Chinese, Japanese, Thai: a wire's text, copies of it, another article, and notices, of each."""
    rows = []
    for lang, texts in OTHER_SCRIPTS.items():
        whole, other = (texts[name].strip().split("\n") for name in ("text", "other"))
        versions = [
            ("wire", texts["agency"], "13T06:00", whole),
            ("verbatim", texts["paper"], "13T09:30", whole),
            ("edited", texts["paper"], "14T05:00", replaced(whole, texts["changes"])),
            ("cut", texts["paper"], "14T07:15", whole[: texts["cut"]]),
            ("other", texts["agency"], "15T08:00", other),
            ("notice-1", texts["agency"], "16T08:00", [texts["short"]]),
            ("notice-2", texts["paper"], "16T12:00", [texts["short"]]),
            ("notice-other", texts["paper"], "16T13:00", [texts["short_other"]]),
        ]
        for number, (name, source, when, body) in enumerate(versions):
            if lang in WITHOUT_SPACES and name in ("edited", "cut"):
                continue
            heading = texts["title"] if number < 4 else texts["other_title"] if name == "other" else None
            own = {"id": f"{lang}-{number}", "url": f"https://scripts.example/{lang}/{number}", "source": source}
            rows.append(
                record(f"{lang}-{name}", body, lines(body), **own, title=heading, date=f"2026-07-{when}:00Z", lang=lang)
            )
    return jsonl(rows)


def rewritten() -> bytes:
    """Spun texts of the ferry's and the dam's reports, and other papers' own reports of the same."""
    rows = []
    for number, (key, own) in enumerate(REWRITTEN.items()):
        body = own["text"].strip().split("\n")
        given = {name: own[name] for name in ("source", "title", "date", "lang")}
        url = f"https://rewritten.example/{number}"
        rows.append(record(key, body, lines(body), id=f"rw-{number}", url=url, **given))
    return jsonl(rows)


def plain(heading: str, *parts: str | Iterable[str]) -> str:
    """A text file as people keep them: the headline, then the paragraphs with an empty line between."""
    return heading + "\n\n" + lines(*parts).replace("\n", "\n\n") + "\n"


def texts() -> dict[str, bytes]:
    ferry, verdict = paragraphs("ferry", 1, 2, 3, 4), paragraphs("verdict", 1, 2, 3, 4)
    keeper, library, port, sky, orchard = (
        paragraphs(name) for name in ("lighthouse", "library", "port", "observatory", "orchard")
    )
    for key, body in (
        ("ferry-cut", ferry),
        ("verdict-cut", verdict),
        ("lighthouse", keeper),
        ("library", library),
        ("port-cp1256", port),
        ("observatory", sky),
        ("orchard", orchard),
    ):
        truth(key, body)
    return {
        "ferry_cut.txt": plain(
            "Ferry stuck on sandbank, 412 on board",
            led("PORT HALDEN (Reuters) - ", ferry[:2]),
            "ADVERTISEMENT",
            ferry[2:],
            "Read the full story in our app",
        ).encode(),
        "verdict_cut.txt": plain(
            "Court: mine owner knew of blocked tunnel",
            led("Santa Lirio (AFP) - ", verdict),
            "Related: Copper price slips for a third day",
        )
        .replace("\n", "\r\n")
        .encode(),
        "lighthouse_latin1.txt": plain(title("lighthouse"), keeper).encode("latin-1"),
        "library_utf8_bom.txt": plain(title("library"), "By Rosalind Achebe", library).encode("utf-8-sig"),
        "port_windows1256.txt": plain("ثماني رافعات جديدة في رأس الغزال", led("رأس الغزال (رويترز) - ", port)).encode(
            "cp1256"
        ),
        "observatory_utf16.txt": b"\xff\xfe" + plain(title("observatory"), sky).encode("utf-16-le"),
        "orchard.txt.gz": gzipped(plain(title("orchard"), orchard).encode()),
    }


def html_files() -> dict[str, bytes]:
    ferry, port, bees = whole("ferry-page", "ferry"), whole("port-page", "port"), whole("bees", "bees")
    return {
        "ferry_page.html": page("ferry", ferry).encode(),
        "port_page.html": page("port", port).encode(),
        "bees.html.gz": gzipped(page("bees", bees).encode()),
    }


def crawls() -> dict[str, bytes]:
    battery, choir, train = whole("battery-dateline", "battery"), whole("choir", "choir"), whole("train", "train")
    english = warc(
        "2026-07-18T02:00:00Z",
        [
            (
                "https://orrin-mills-sentinel.example/strike-looms",
                page("battery", battery).encode(),
                "text/html; charset=utf-8",
            ),
            (
                "https://stage-door.example/silent-chorale",
                page("choir", choir).encode("latin-1"),
                "text/html; charset=ISO-8859-1",
            ),
        ],
    )
    arabic = warc(
        "2026-07-18T02:10:00Z",
        [("https://sikka.example/night-train", page("train", train).encode("cp1256"), "text/html")],
    )
    return {"english.warc": b"".join(english), "arabic.warc.gz": b"".join(gzipped(one) for one in arabic)}


# The bad files, and good records between bad ones.


def simple(key: str, story: str, number: int, iso: str, lang: str = "en") -> Record:
    body = paragraphs(story)
    return record(
        key,
        body,
        lines(body),
        id=f"nb-{number}",
        url=f"https://neighbours.example/{number}",
        source="The Neighbours' Gazette",
        title=title(story),
        date=iso,
        lang=lang,
    )


def noise(size: int) -> bytes:
    """Bytes without any order that are the same every time."""
    found = b""
    while len(found) < size:
        found += hashlib.sha256(b"noise" + len(found).to_bytes(4, "big")).digest()
    return found[:size]


def png() -> bytes:
    """A grey picture of 16 x 16."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    size = (16).to_bytes(4, "big")
    rows = b"".join(b"\0" + bytes(range(16 * row, 16 * row + 16)) for row in range(16))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size + size + bytes([8, 0, 0, 0, 0]))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def cut_gzip(whole: list[Record], broken: Record) -> bytes:
    """Gzip in which the whole records can be read and the stream ends amid the broken one."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = packer.compress(jsonl(whole)) + packer.flush(zlib.Z_FULL_FLUSH) if whole else b""
    rest = packer.compress(jsonl([broken])) + packer.flush()
    return start + rest[: len(rest) // 2]


def refused() -> dict[str, bytes]:
    lost = {
        "id": "lost-1",
        "url": "https://neighbours.example/lost",
        "source": "The Neighbours' Gazette",
        "title": "Nobody will read this to its end",
        "text": lines(paragraphs("weather_2"), paragraphs("short_pair")),
    }
    huge = {
        "id": "huge-1",
        "url": "https://neighbours.example/huge",
        "title": "The ledger of the night watch",
        "text": "The ledger of the night watch has an empty line here. " * 205_000,
    }
    salt = simple("salt", "salt", 7, "2026-07-08T09:00:00Z")
    again = dict(reversed(salt.items()))
    good = [simple("swimmers", "swimmers", 1, "2026-07-06T09:00:00Z"), simple("ice", "ice", 2, "2026-07-07T09:00:00Z")]
    swimmers, ice = (jsonl([row]) for row in good)
    without = [
        {"id": "no-text-1", "url": "https://neighbours.example/n1"},
        {"id": "no-text-2", "title": None, "url": "https://neighbours.example/n2", "text": None},
        {"id": "no-text-3", "title": " ", "url": "https://neighbours.example/n3", "text": " \n\t \n"},
    ]
    columns = pa.schema([(name, pa.string()) for name in ("id", "url", "title", "told")])
    return {
        "truncated_in_first_record.jsonl.gz": cut_gzip([], lost),
        "truncated_after_two_records.jsonl.gz": cut_gzip(
            [
                simple("telescope", "telescope", 3, "2026-07-07T12:00:00Z"),
                simple("tunnel", "tunnel", 4, "2026-07-10T20:00:00Z"),
            ],
            lost | {"id": "lost-2"},
        ),
        "png_picture_named.jsonl": png(),
        "plain_text_named.parquet": b"This is a shopping list and no table: leeks, rye bread, salt.\n",
        "records_without_text.jsonl": jsonl(without),
        "record_over_10_mb.jsonl.gz": gzipped(
            jsonl(
                [
                    simple("mint", "mint", 5, "2026-07-08T14:00:00Z"),
                    huge,
                    simple("cinema", "cinema", 6, "2026-07-09T22:00:00Z", "ar"),
                ]
            )
        ),
        "bad_date.jsonl": jsonl(
            [
                {
                    "id": "bad-date-1",
                    "url": "https://neighbours.example/d1",
                    "title": "Parade postponed",
                    "text": "The spring parade in Dunmere is put off: the geese refuse to leave the square.",
                    "date": "the day before yesterday",
                }
            ]
        ),
        "binary_noise.txt": noise(2048),
        "no_text_columns.parquet": parquet(
            [
                {
                    "id": f"col-{n}",
                    "url": f"https://neighbours.example/c{n}",
                    "title": f"Row {n}",
                    "told": f"Story {n}.",
                }
                for n in (1, 2, 3)
            ],
            columns,
        ),
        "navigation_only.html": page("navigation_only", []).encode(),
        "two_words.jsonl": jsonl(
            [{"id": "two-words-1", "url": "https://neighbours.example/t1", "title": "Soon", "text": "Coming soon"}]
        ),
        "broken_line_between_good.jsonl": swimmers + b'{"id": "broken-1", "title": "A line that was cut in th\n' + ice,
        "not_objects.jsonl": b'42\n["a", "list"]\n"only a sentence"\n',
        "repeated_record.jsonl": jsonl([salt, again]),
    }


def page_of_links(count: int) -> bytes:
    """A page under the record limit that keeps an extractor busy for longer than it is given."""
    links = "".join(f'<p>berth <a href="/b{number % 10}">mooring</a> is free until noon</p>' for number in range(count))
    return gzipped(f"<!DOCTYPE html><html lang='en'><body>{links}</body></html>".encode())


def built() -> dict[str, bytes]:
    """Every file by its path under seeds/."""
    found = {
        "slow/page_of_150000_links.html.gz": page_of_links(150_000),
        "articles/jsonl/agencies.jsonl": agencies(),
        "articles/jsonl/lowmarsh_courier.jsonl.gz": lowmarsh_courier(),
        "articles/jsonl/harrowby_echo.jsonl": harrowby_echo(),
        "articles/jsonl/al_manara.jsonl": al_manara(),
        "articles/jsonl/al_rasid.jsonl.zst": al_rasid(),
        "articles/jsonl/pages_in_records.jsonl": pages_in_records(),
        "articles/jsonl/other_scripts.jsonl": other_scripts(),
        "articles/jsonl/rewritten.jsonl": rewritten(),
        "articles/json/evening_brief.json": evening_brief(),
        "articles/json/follow_up.json": follow_up(),
        "articles/parquet/daily_archive.parquet": daily_archive(),
        "articles/parquet/coast_archive.parquet": coast_archive(),
        "articles/avro/river_papers.avro": river_papers(),
        "articles/avro/arabic_archive.avro": arabic_archive(),
    }
    for folder, files in (
        ("articles/txt", texts()),
        ("articles/html", html_files()),
        ("articles/warc", crawls()),
        ("refused", refused()),
    ):
        found |= {f"{folder}/{name}": data for name, data in files.items()}
    return found


def build(into: Path) -> None:
    """Writes every file under `into`, over what is there; touches nothing else."""
    for name, data in built().items():
        path = into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


# Recounting the answers.


def folded_words(text: str) -> list[str]:
    """Words as fingerprints see them: case, marks, Arabic spelling and digits folded, punctuation gone."""
    text = unicodedata.normalize("NFKD", text).casefold()
    text = "".join(sign for sign in text if unicodedata.category(sign) not in ("Mn", "Cf") and sign != "ـ")
    text = text.translate(str.maketrans("ىة" + "٠١٢٣٤٥٦٧٨٩", "يه" + "0123456789"))
    # What is written without spaces is compared letter by letter.
    return re.findall(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]|[^\W\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+", text)


def shingles(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + 5]) for at in range(len(words) - 4)}


def read_answers(name: str) -> list[Record]:
    return [json.loads(line) for line in (SEEDS / "expected" / name).read_text(encoding="utf-8").splitlines()]


IN_CLEAN = ("kept", "partial", "rewrite")


def check() -> list[str]:
    """What is wrong with seeds/: files that differ from what would be built, answers that the texts contradict."""
    wrong = []
    files = built()
    there = {
        str(path.relative_to(SEEDS))
        for folder in ("articles", "refused", "slow")
        for path in (SEEDS / folder).rglob("*")
        if path.is_file()
    }
    wrong += [f"{name}: not built by anything" for name in sorted(there - set(files))]
    wrong += [
        f"{name}: missing or different"
        for name, data in files.items()
        if name not in there or (SEEDS / name).read_bytes() != data
    ]
    answers = {row["key"]: row for row in read_answers("articles.jsonl")}
    wrong += [f"{key}: no answer" for key in set(TRUTH) ^ set(answers)]
    words = {key: folded_words("\n".join(TRUTH[key])) for key in answers}
    sets = {key: shingles(found) for key, found in words.items()}

    def share(part: str, whole: str) -> float:
        return len(sets[part] & sets[whole]) / len(sets[part])

    def origin(row: Record) -> set[str]:
        """The keys of the story that the article takes text from."""
        story = answers[row["derived_from"]]["story"]
        return {one for one, its in answers.items() if its["story"] == story}

    for key, row in answers.items():
        text = "\n".join(TRUTH[key])
        wrong += [
            f"{key}: not in the text: {phrase}"
            for phrase in row["must_have"]
            if phrase not in unicodedata.normalize("NFC", text)
        ]
        wrong += [f"{key}: furniture in the text: {phrase}" for phrase in row["must_not_have"] if phrase in text]
        kept, relation, other = row["kept"], row["relation"], row["derived_from"]
        if answers[kept]["kept"] != kept or answers[kept]["relation"] not in IN_CLEAN:
            wrong.append(f"{key}: its keeper is a copy")
        if relation in IN_CLEAN and kept != key:
            wrong.append(f"{key}: {relation}, but kept is {kept}")
        mine, theirs = share(key, kept), share(kept, key)
        holds = {
            "kept": kept == key and other is None,
            "exact": words[key] == words[kept],
            "near": words[key] != words[kept] and min(mine, theirs) >= 0.88,
            "contained": mine >= 0.88 and theirs <= 0.65,
            "partial": other is not None
            and 0.3 <= share(key, other) <= 0.65
            and (share(other, key) <= 0.65 or key == "roundup"),
            "rewrite": other is not None and max(share(key, other), share(other, key)) <= 0.18,
        }
        if not holds[relation]:
            wrong.append(f"{key}: {relation} of {kept}: {mine:.2f} {theirs:.2f}")
        related = {row["story"]} | {
            its["story"] for its in answers.values() if its["derived_from"] and key in origin(its)
        }
        related |= {answers[other]["story"]} if other else set()
        for stranger in (
            one for one, its in answers.items() if its["story"] not in related and one != "roundup" != key
        ):
            if share(key, stranger) > 0.18:
                wrong.append(f"{key} and {stranger}: strangers, but {share(key, stranger):.2f}")
    counts = {row["file"]: row for row in read_answers("files.jsonl")}
    wrong += [f"{name}: no totals" for name in set(files) ^ set(counts)]
    bad = read_answers("refused.jsonl")
    for name, row in counts.items():
        good = sum(answer["file"] == name for answer in answers.values())
        none = sum(answer["count"] for answer in bad if answer["file"] == name)
        if (row["records"], row["good"], row["refused"]) != (good + none, good, none):
            wrong.append(
                f"{name}: totals are {row['records']}, {row['good']}, {row['refused']}; answers {good}, {none}"
            )
    return wrong


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        problems = check()
        sys.exit("\n".join(problems) or None)
    build(SEEDS)
