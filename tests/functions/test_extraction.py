"""Extraction: the article without what surrounds it, and a child process that may die without harm."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from transforms.functions.extraction import PageExtractor
from transforms.functions.extraction_worker import extract_page
from transforms.functions.nesting import nesting_depth

PARAGRAPHS = [
    "The harbour council met on Tuesday to discuss what the new pier will cost the town over ten years.",
    "Its chair, Ida Holm, said that fishermen would be heard before the plans are drawn, and not after.",
    "A vote is expected in the autumn, when the survey of the sea bed has been finished and published.",
]
PAGE = f"""<html lang="en-GB"><head><title>Council weighs new pier | Harbour Post</title>
<link rel="canonical" href="https://post.example/pier"><meta property="og:title" content="Council weighs new pier">
<meta property="og:site_name" content="Harbour Post"><meta name="author" content="Nils Berg">
<meta property="article:published_time" content="2015-07-21T15:04:00+02:00"></head>
<body><nav><a href="/">Home</a> <a href="/sport">Sport</a></nav><article><h1>Council weighs new pier</h1>
{"".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)}</article>
<footer>All rights reserved</footer></body></html>"""


def test_an_article() -> None:
    found = extract_page(PAGE, None)
    assert found["text"].split("\n") == PARAGRAPHS
    assert (found["title"], found["byline"]) == ("Council weighs new pier", "Nils Berg")
    assert found["source"] == "Harbour Post"
    assert (found["published"], found["language"]) == ("2015-07-21T15:04:00+02:00", "en-GB")
    assert found["url"] == "https://post.example/pier"


def test_the_same_page_gives_the_same_text_every_time() -> None:
    assert len({extract_page(PAGE, None)["text"] for _ in range(6)}) == 1


def test_tables_of_data_stay_and_tables_of_columns_do_not() -> None:
    rows = [("Quay", "Boats", "Share"), ("North", "120", "30 %"), ("South", "280", "70 %")]
    table = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    page = PAGE.replace("</article>", f"<table>{table}</table></article>")
    assert (extract_page(page, None)["text"] or "").split("\n") == [
        *PARAGRAPHS, "| Quay | Boats | Share |", "| North | 120 | 30 % |", "| South | 280 | 70 % |"]  # fmt: skip
    told = "".join(f"<tr><td>{day} May</td><td>{paragraph}</td></tr>" for day, paragraph in enumerate(PARAGRAPHS * 3))
    diary = PAGE.replace("</article>", f"<table>{told}</table></article>")
    assert "|" not in (extract_page(diary, None)["text"] or "|")
    wide = PAGE.replace("</article>", f'<table><tr><td colspan="999">a</td></tr>{table}</table></article>')
    assert extract_page(wide, None)["text"] == extract_page(PAGE, None)["text"]
    story = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS * 3)
    columns = f"<body><table><tr><td>Old quays</td><td>{story}</td></tr><tr><td>Maps</td><td>{story}</td></tr></table>"
    assert "|" not in (extract_page(columns, None)["text"] or "|")


def test_an_article_that_stands_in_a_table_of_columns_is_found() -> None:
    story = "<br><br>".join(PARAGRAPHS * 5)
    page = f"""<html><head><title>Council weighs new pier</title></head><body><div><p>http://post.example 2005-04-25
        08:24:06 by Harbour Post, and a few words more of the page that stand outside of the table</p></div>
        <table><tr><td><b>Council weighs new pier</b></td></tr><tr><td>{story}</td></tr></table></body></html>"""
    assert set(PARAGRAPHS) <= set((extract_page(page, None)["text"] or "").split("\n"))


def test_pages_that_hang_or_kill_leave_their_neighbours_alone() -> None:
    slow = "<div><span>" * 999 + "<p><b>x</b><i>y</i></p>" * 200_000
    with PageExtractor(timeout_seconds=1.0) as extractor:
        results = extractor.extract([PAGE, slow, PAGE, "", "\x00\ufffe", PAGE], [None] * 6)
    assert [found.error for found in results] == [
        None, "extraction_timeout", None, "extraction_failed", "extraction_failed", None]  # fmt: skip
    assert all((found.text is None) == (found.error is not None) for found in results)
    assert all(found.message for found in results if found.error)


def test_memory_is_bounded() -> None:
    huge = "<html><body>" + "<p><b>x</b><i>y</i></p>" * 400_000
    with PageExtractor(timeout_seconds=30.0, memory_bytes=200 << 20) as extractor:
        first, failed, last = extractor.extract([PAGE, huge, PAGE], [None] * 3)
    assert (first.error, failed.error, last.error) == (None, "extraction_failed", None)


def test_a_killed_child_is_replaced() -> None:
    with PageExtractor(timeout_seconds=20.0) as extractor:
        assert extractor.extract([PAGE], [None])[0].error is None
        child = extractor._child
        assert child is not None
        child.kill()
        child.wait()
        assert extractor.extract([PAGE], [None])[0].text == "\n".join(PARAGRAPHS)
    assert extractor._child is None


def test_threads_share_one_child() -> None:
    found: list[str | None] = []
    with PageExtractor(timeout_seconds=20.0) as extractor:
        threads = [
            threading.Thread(target=lambda: found.extend(one.text for one in extractor.extract([PAGE] * 3, [None] * 3)))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == ["\n".join(PARAGRAPHS)] * 12


def test_as_many_urls_as_pages() -> None:
    with PageExtractor(timeout_seconds=1.0) as extractor, pytest.raises(ValueError, match="shorter"):
        extractor.extract([PAGE], [])


def test_nesting_is_counted_by_what_must_be_ended() -> None:
    assert nesting_depth("<div><p>a<p>b<br><ul><li>c<li>d</ul></div><DIV></DIV>", 100) == 2
    assert nesting_depth("<b>" * 50, 10) == 11
    assert nesting_depth("</div>" * 5 + "<div>", 10) == 1
    assert nesting_depth("no < tags, 3 <4", 10) == 0


def test_an_extractor_left_open_does_not_keep_the_program() -> None:
    script = (
        "from transforms.functions.extraction import PageExtractor\n"
        "kept = PageExtractor(5.0)\n"
        "print(kept.extract(['<p>' + 'A short notice of the town. ' * 30], [None])[0].error)\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "None", "")


@pytest.mark.parametrize("tags", ["<div>", "<p><b><i>", "<table><tr><td>", "</p></div>"])
def test_a_million_nested_tags_cost_one_page_its_time(tags: str) -> None:
    """They end with a reason and in time, whatever the extractor makes of them; the next page is read."""
    page = "<html><body><p>The port reopened.</p>" + tags * (1_000_000 // tags.count("<"))
    article = "<article>" + f"<p>{'The port reopened on Monday, the harbour office said. ' * 8}</p>" * 3 + "</article>"
    with PageExtractor(timeout_seconds=10.0) as extractor:
        extractor.extract([article], [None])
        started = time.monotonic()
        deep, after = extractor.extract([page, article], [None, None])
        assert time.monotonic() - started < 5, "a second or two of a busy machine; ten seconds are the limit"
        if tags.startswith("</"):
            assert (deep.text is None) == (deep.error == "extraction_failed")
        else:
            assert deep.error == "extraction_failed"
            assert "nested more than 2000 deep" in (deep.message or "")
    assert after.error is None
    assert (after.text or "").startswith("The port reopened on Monday")
