"""What a run warns of, and where it is shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.command_line import main
from pipeline.guards import MOST_STORIES, SOURCE, STORY, warnings_of
from pipeline.report import report_html
from pipeline.store import Store
from pipeline.summary import _warnings, summary_of
from schemas.settings import RunSettings
from tests.pipeline.store_reading import SEEDS, run_over, write_jsonl

NEVER: Mapping[str, int] = {}


def column(**stories: int) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array([story] * count) for story, count in stories.items()], pa.string())


def test_a_source_that_copies_nearly_everything_is_warned_of() -> None:
    clean, copies = {"own": 500, "borrowed": 9}, {"own": 400, "borrowed": 41}
    [found] = warnings_of(clean, copies, column(), RunSettings())
    assert (found.kind, found.what, found.figure, found.limit) == (SOURCE, "borrowed", 0.82, 0.8)
    for part in ("'borrowed'", "41 of 50", "0.82", "0.8", "run.warn_source_copies_share", "copydesk explain"):
        assert part in found.message


@pytest.mark.parametrize(
    ("clean", "copies"),
    [
        (NEVER, {"few": 49}),
        ({"at the limit": 10}, {"at the limit": 40}),
        ({"own": 100}, NEVER),
        (NEVER, NEVER),
    ],
)
def test_few_articles_or_a_share_at_the_limit_are_no_sign(clean: Mapping[str, int], copies: Mapping[str, int]) -> None:
    assert warnings_of(clean, copies, column(), RunSettings()) == []


def test_a_source_without_a_name_is_told_in_words() -> None:
    [found] = warnings_of(NEVER, {"": 50}, column(), RunSettings())
    assert found.message.startswith("articles that name no source: 50 of 50")


def test_stories_over_the_limit_are_warned_of_the_largest_first() -> None:
    found = warnings_of(NEVER, NEVER, column(a=100, b=101, c=3, d=250), RunSettings())
    assert [(one.kind, one.what, one.figure, one.limit) for one in found] == [
        (STORY, "d", 250, 100), (STORY, "b", 101, 100),
    ]  # fmt: skip
    assert "copydesk explain --store DIR d" in found[0].message


def test_a_template_of_thousands_does_not_fill_the_manifest() -> None:
    stories = column(**{f"s{number}": 2 for number in range(500)})
    assert len(warnings_of(NEVER, NEVER, stories, RunSettings(warn_story_articles=1))) == MOST_STORIES


def test_a_run_over_real_papers_warns_of_nothing(tmp_path: Path) -> None:
    manifest = run_over(tmp_path / "store", SEEDS / "articles" / "jsonl")
    assert manifest["warnings"] == []
    assert "WARNING" not in summary_of(manifest, "store")
    assert "Warnings" not in report_html(manifest)


TEXT = (
    "The harbour board voted on Tuesday to close the old ferry slip after divers found that the timber piles had been "
    "eaten hollow by shipworm. Crossings will leave from the coal quay until the autumn, the chairman said, and fares "
    "stay as they are. Islanders who keep boats at the slip have a fortnight to move them to the northern basin."
)


def test_warnings_are_shown_wherever_a_run_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"id": f"a{number}", "source": "mirror <b>", "text": TEXT} for number in range(12)]
    rows += [{"id": "b", "source": "echo", "text": TEXT, "published_at": "2026-03-01"}]
    given = str(write_jsonl(tmp_path / "in.jsonl", rows))
    store, metrics = tmp_path / "store", tmp_path / "m.prom"
    limits = ["--set", "run.warn_source_articles=10", "--set", "run.warn_story_articles=12"]
    limits = [*limits, "--metrics", str(metrics), "--json"]
    assert main(["run", "--quiet", "--input", given, "--store", str(store), *limits]) == 0
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    assert [(one["kind"], one["figure"], one["limit"]) for one in warnings] == [("source", 1.0, 0.8), ("story", 13, 12)]
    [manifest] = Store(str(store)).manifests
    assert manifest["warnings"] == warnings
    assert set(warnings[0]) == {"kind", "what", "figure", "limit", "message"}
    assert "copydesk_warnings 2" in metrics.read_text().splitlines()
    assert main(["report", "--store", str(store)]) == 0
    shown = capsys.readouterr().out
    [page] = (store / "reports").glob("*/index.html")
    for warning in warnings:
        assert f"WARNING     {warning['message']}" in shown
    assert "<h2>Warnings</h2>" in page.read_text()
    assert "mirror &lt;b&gt;" in page.read_text()
    assert main(["explain", "--store", str(store), warnings[1]["what"]]) == 0


def test_the_limits_are_settings_of_the_run_alone(tmp_path: Path) -> None:
    """They change no outcome, so they don't make the store decide anew."""
    rows = [{"id": str(number), "source": "echo", "text": TEXT} for number in range(3)]
    given = write_jsonl(tmp_path / "in.jsonl", rows)
    ids = [
        run_over(tmp_path / name, given, run__warn_story_articles=limit)["run_id"]
        for name, limit in (("a", "1"), ("b", "50"))
    ]
    assert ids[0] == ids[1]


def test_many_warnings_leave_room_on_the_screen() -> None:
    manifest = {"warnings": [{"message": f"story {number}"} for number in range(40)]}
    lines = _warnings(manifest)
    assert lines[:1] == ["  WARNING     story 0"]
    assert lines[-1] == "  WARNING     35 more: see the report"
    assert len(lines) == 6
    assert _warnings({"warnings": manifest["warnings"][:5]})[-1] == "  WARNING     story 4"
    assert _warnings({}) == []
