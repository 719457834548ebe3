"""What stands in .json files: the answers of news services, objects one after the other, and what is neither."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.functions.files import pick, read_bytes

ONE, TWO = {"id": "a", "text": "one"}, {"id": "b", "text": "two", "data": [{"x": 1}]}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("batch", [1, 1 << 20])
def test_an_answer_of_a_news_service(tmp_path: Path, indent: int | None, batch: int) -> None:
    answer = {
        "status": "ok",
        "totalResults": 2,
        "articles": [
            {
                "source": {"id": None, "name": "The Echo"},
                "title": "Port",
                "url": "https://echo.example/1",
                "publishedAt": "2026-07-14T08:00:00Z",
                "content": "It reopened.",
            },
            {"source": {"id": "courier", "name": "The Courier"}, "title": "", "content": None},
        ],
        "note": '] } " [',
    }
    raw, refused = read_bytes(tmp_path, "a.json", json.dumps(answer, indent=indent).encode(), batch_bytes=batch)
    assert pick(raw, "position", "source", "title", "url", "text") == [
        (0, "The Echo", "Port", "https://echo.example/1", "It reopened.")
    ]
    assert raw[0]["published_at"].isoformat() == "2026-07-14T08:00:00+00:00"
    assert pick(refused, "position", "reason") == [(1, "no_text")]


@pytest.mark.parametrize(
    ("between", "indent"), [("", None), ("", 1), (" ", None), (" ", 1), ("\n", 1), ("\r\n\r\n", 1)]
)
def test_documents_one_after_the_other(tmp_path: Path, between: str, indent: int | None) -> None:
    values = [ONE, [TWO, ONE], {"items": [TWO]}, TWO]
    content = between.join(json.dumps(value, indent=indent) for value in values).encode()
    raw, refused = read_bytes(tmp_path, "a.json", content)
    assert refused == []
    assert pick(raw, "position", "source_id") == [(0, "a"), (1, "b"), (2, "a"), (3, "b"), (4, "b")]


@pytest.mark.parametrize(
    ("content", "read", "refused"),
    [
        (b'{"articles": [{"text": "a"}, {"te', ["a"], [(1, "bad_record")]),
        (b'{"articles": [{"text": "a"}]', ["a"], []),
        (b'{"text": "own", "articles": [{"text": "a"}]}', ["own"], []),
        (b'{"articles": [], "status": "ok"}', [], [(0, "no_text")]),
        (b'{"articles": [1, 2]}', [], [(0, "no_text")]),
        (b'{"x": {"articles": [{"text": "a"}]}}', [], [(0, "no_text")]),
        (b'{"text": "a"} {"text": ', ["a"], [(1, "bad_record")]),
        (b'{"text": "a"}, {"text": "b"}', ["a"], [(1, "bad_record")]),
        (b'[{"text": "a"}] rest', ["a"], [(1, "bad_record")]),
        (b'[{"text": "a"}] "rest', ["a"], [(1, "bad_record")]),
        (b'"articles"', [], [(0, "bad_record")]),
        (b"}", [], [(0, "bad_record")]),
        (b'{"articles":[{"text":"a"}]}\n{"articles":[{"text":"b"}]}\n', ["a", "b"], []),
    ],
)
def test_what_is_cut_or_something_else(
    tmp_path: Path, content: bytes, read: list[str], refused: list[tuple[int, str]]
) -> None:
    raw, rows = read_bytes(tmp_path, "a.json", content)
    assert [row["text"] for row in raw] == read
    assert pick(rows, "position", "reason") == refused


def test_an_array_named_jsonl_is_told_its_name(tmp_path: Path) -> None:
    raw, refused = read_bytes(tmp_path, "a.jsonl", json.dumps([ONE, TWO], indent=1).encode())
    assert raw == []
    assert "a name in .json" in refused[0]["message"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_marks_wide_encodings_line_ends_and_blank_lines(tmp_path: Path, encoding: str, name: str) -> None:
    for end in ("\n", "\r\n"):
        lines = [json.dumps(ONE), "", "  ", json.dumps({**TWO, "text": "قال الوزير"}, ensure_ascii=False), ""]
        raw, refused = read_bytes(tmp_path, name, end.join(lines).encode(encoding))
        assert refused == []
        assert pick(raw, "source_id", "text") == [("a", "one"), ("b", "قال الوزير")]
