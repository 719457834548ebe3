"""Names, titles and texts made to do harm where they are stored or shown."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.explain import explain
from pipeline.report import write_report
from pipeline.store import Store
from pipeline.summary import summary_of
from tests.pipeline.store_reading import rows_of, run_over

HARMS = {
    "escape": "\x1b[31mred\x1b]0;title\x07",
    "c1": "\x9b31mred",
    "turned": "\u202egnp.exe\u2066",
    "lines": "one\r\ntwo\x0bthree\u2028four",
    "html": "<script>alert(1)</script><img src=x onerror=alert(2)>\"'",
    "formula": '=HYPERLINK("http://x.example")',
    "command": "=cmd|' /C calc'!A0",
    "path": "../../../../etc/passwd",
    "null": "nul\x00l",
}
TEXT = "The ferry Aurora left {} at nine on Monday, the harbour office said. Nobody was hurt in the crossing, it said."
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One article and one refused record for each harm, in a folder and files with names that are harmful too."""
    folder = tmp_path_factory.mktemp("harmful") / "<b>&in" / "a b;$(touch x)"
    folder.mkdir(parents=True)
    for kind, harm in HARMS.items():
        good = {"id": harm, "title": f"{harm} Ferry {kind}", "source": f"{harm} paper", "url": f"http://x.example/{harm}",
                "text": f"{TEXT.format(kind)}\n{harm}\nThe boat {kind} is back.", "language": "en"}  # fmt: skip
        bad = {**good, "id": f"bad {kind}", "text": {harm: harm}, harm: harm}
        dated = {**good, "id": f"dated {kind}", "date": harm}
        bare = {**{name: value for name, value in good.items() if name != "text"}, "id": f"bare {kind}", harm: harm}
        lines = "\n".join(json.dumps(row) for row in (good, bad, dated, bare)) + f"\nnot JSON {harm!s}\n"
        (folder / f"=1+1 '{kind}' <i>.jsonl").write_text(
            lines.replace("\r", "").replace("\u2028", ""), encoding="utf-8"
        )
    store = folder.parent.parent / "store"
    run_over(store, str(folder))
    return store


def test_articles_hold_no_harmful_signs(store: Path) -> None:
    rows = rows_of(store, "clean") + rows_of(store, "copies")
    assert len(rows) == len(HARMS)
    for row in rows:
        for name in ("title", "source", "url", "text", "byline", "dateline", "agency", "language", "source_uri"):
            assert not UNSAFE.search(row[name] or ""), f"{name}: {row[name]!r}"
        assert "\n" not in row["title"] + row["source"] + row["url"]
    assert {row["source_id"] for row in rows} == set(HARMS.values()), "the giver's own id is kept as it is"


def test_refused_rows_hold_none_but_in_the_payload(store: Path) -> None:
    rows = rows_of(store, "rejected")
    assert len(rows) >= 4 * len(HARMS) - 1
    for row in rows:
        for name in ("source_uri", "stage", "reason", "message"):
            assert not UNSAFE.search(row[name]), f"{name}: {row[name]!r}"
            assert "\n" not in row[name]
        assert isinstance(row["payload"], bytes)
    assert {f"bad {kind}" for kind in HARMS} <= {row["source_id"] for row in rows}


def test_what_is_shown(store: Path) -> None:
    manifest = json.loads(next((store / "manifest").glob("*.json")).read_text())
    page = Path(write_report(str(store), manifest)).read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<img" not in page
    assert "<b>&in" not in page
    assert "&lt;script&gt;" in page, "the outlet's name is there, as text"
    summary = summary_of(manifest, str(store))
    told = [explain(Store(str(store)), row["article_id"]) for row in rows_of(store, "clean")]
    told += [explain(Store(str(store)), f"{what} {kind}") for kind in HARMS for what in ("bad", "dated", "bare")]
    for shown in (page, summary, *told):
        assert not UNSAFE.search(shown), repr(UNSAFE.search(shown))


def test_nothing_was_written_elsewhere(store: Path) -> None:
    assert {path.name for path in store.parent.iterdir()} == {"<b>&in", "store"}
    folders = {"manifest", "clean", "copies", "rejected", "matches", "labels", "sketches", "reports", "furniture"}
    assert {path.name for path in store.iterdir() if not path.name.startswith((".", "_"))} <= folders
    assert all("=1+1" not in path.name for path in store.rglob("*"))


def test_a_name_that_cannot_be_printed_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[31m.jsonl").write_text('{"text": "one two three four"}')
    with pytest.raises(UsageError, match=r"\\x1b\[31m") as raised:
        run_over(tmp_path / "store", str(tmp_path))
    assert not UNSAFE.search(str(raised.value))
