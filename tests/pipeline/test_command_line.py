"""The command as a user meets it: exit codes, messages, no tracebacks for a user's mistake."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.command_line import main
from schemas.settings import known_settings
from tests.pipeline.store_reading import ROOT, SEEDS, write_jsonl


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = int(ended.code or 0)
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    return code, shown.out, shown.err


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("command") / "store"
    assert main(["run", "--quiet", "--input", str(SEEDS / "articles" / "jsonl"), "--store", str(path)]) == 0
    return path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--inptu", "x", "--store", "y"], "--input"),
        (["run", "--input", "x", "--store", "y", "--wrokers", "2"], "did you mean --workers?"),
        (["rnu"], "did you mean run?"),
        (["run", "--input", "x", "--store", "y", "--set", "match.windw_days=3"], "did you mean match.window_days?"),
        (["run", "--input", "x", "--store", "y", "--set", "match.window_days=soon"], "expected a whole number"),
        (["run", "--input", "x", "--store", "y", "--set", "match.window_days=-1"], "expected a number from 0"),
        (["run", "--input", "x", "--store", "y", "--set", "match.window_days"], "expected KEY=VALUE"),
        (["run", "--input", "x", "--store", "y", "--keep", "longest"], "most-complete"),
        (["run", "--input", "x", "--store", "y", "--drop", "exakt"], "did you mean 'exact'?"),
        (["run", "--input", "x", "--store", "y", "--set", "clean.disabled=newsleter"], "did you mean 'newsletter'?"),
        (["run", "--input", "x", "--store", "y", "--workers", "0"], "expected a whole number from 1"),
        (["run", "--input", "x", "--store", "y", "--workers", "1000"], "for each CPU of this machine"),
        (["run", "--input", "/no/such/*.jsonl", "--store", "y"], "no input matches '/no/such/*.jsonl'"),
        (["run", "--input", str(ROOT / "README.md"), "--store", "y"], "no ending of a known form"),
        (["run", "--input", str(SEEDS), "--store", str(ROOT / "README.md")], "is a file"),
        (["report", "--store", "/no/such/store"], "holds no committed run"),
        (["explain", "--store", "/no/such/store", "x"], "holds no committed run"),
    ],
)
def test_mistakes_exit_2_and_say_what_was_expected(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, error = call(capsys, *arguments)
    assert code == 2
    assert said in error


def test_every_input_given_is_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = SEEDS / "articles"
    arguments = ["--input", str(folder / "json"), "--input", str(folder / "txt"), "--store", str(tmp_path / "s")]
    code, out, _ = call(capsys, "run", "--quiet", "--json", *arguments)
    assert code == 0
    kinds = {Path(one["path"]).parent.name for one in json.loads(out)["inputs"]}
    assert kinds == {"json", "txt"}


def test_summary_and_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    source = str(SEEDS / "articles" / "json")
    code, out, _ = call(capsys, "run", "--quiet", "--input", source, "--store", str(tmp_path / "s"))
    assert code == 0
    assert "records in" in out
    assert str(tmp_path / "s") in out
    code, out, _ = call(capsys, "run", "--quiet", "--json", "--input", source, "--store", str(tmp_path / "s"))
    assert code == 0
    assert json.loads(out)["nothing_new"] is True
    code, out, _ = call(capsys, "run", "--quiet", "--json", "--input", source, "--store", str(tmp_path / "t"))
    assert json.loads(out)["counts"]["records"] == 3


def test_progress_goes_to_standard_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    _, out, error = call(capsys, "run", "--input", str(SEEDS / "articles" / "json"), "--store", str(tmp_path / "s"))
    assert "7/7 writing the store" in error
    assert "7/7" not in out


def test_field_names_of_an_input(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    row = {"nr": "7", "story_body": "The lighthouse keeper retired after forty winters on the outer skerry."}
    path = write_jsonl(tmp_path / "in.jsonl", [row])
    code, out, _ = call(
        capsys, "run", "--quiet", "--json", "--input", str(path), "--store", str(tmp_path / "s"),
        "--field", "text=story_body", "--field", "id=nr",
    )  # fmt: skip
    assert code == 0
    assert json.loads(out)["counts"]["clean"] == 1


def test_explain_a_copy_a_kept_article_and_a_refused_record(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "explain", "--store", str(store), "rtr-20260714-0231")
    assert code == 0
    assert "kept: it stands for itself" in out
    assert "matches:" in out
    assert "removed from the text:" in out
    code, out, _ = call(capsys, "explain", "--json", "--store", str(store), "rtr-20260714-0231")
    told = json.loads(out)
    copies = [row for row in told["matches"] if row["accepted"] and row["relation"] in ("exact", "near", "contained")]
    assert copies
    other = next(
        one for row in copies for one in (row["left_id"], row["right_id"]) if one != told["article"]["article_id"]
    )
    code, out, _ = call(capsys, "explain", "--store", str(store), other)
    assert code == 0
    assert told["article"]["article_id"] in out
    code, _, error = call(capsys, "explain", "--store", str(store), "0" * 32)
    assert code == 2
    assert "holds no article" in error


def test_explain_by_the_beginning_of_an_id_and_by_url(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "Nine boats were hauled ashore before the gale reached bay number"
    rows = [
        {"id": "same", "source": f"paper{number}", "text": f"{text} {number}.", "url": f"http://paper{number}.test/a"}
        for number in range(12)
    ]
    path, store = write_jsonl(tmp_path / "in.jsonl", rows), str(tmp_path / "s")
    assert call(capsys, "run", "--quiet", "--input", str(path), "--store", store)[0] == 0
    assert call(capsys, "run", "--quiet", "--reprocess", "--input", str(path), "--store", store)[0] == 0
    code, out, _ = call(capsys, "explain", "--json", "--store", store, "http://paper3.test/a")
    assert code == 0
    told = json.loads(out)
    assert told["article"]["source"] == "paper3"
    assert [row["reason"] for row in told["rejected"]] == ["repeat"]
    own = told["article"]["article_id"]
    for wanted in (own, own[:12], own[:12].upper()):
        code, out, _ = call(capsys, "explain", "--store", store, wanted)
        assert code == 0
        assert out.startswith(own)
        assert "http://paper3.test/a" in out
    code, _, error = call(capsys, "explain", "--store", store, "same")
    assert code == 2
    assert "fits 12 articles" in error
    assert "and 2 more" in error
    assert call(capsys, "explain", "--store", store, own[:3])[0] == 2


def test_reasons_are_listed_by_how_often_they_occur(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = str(tmp_path / "s")
    assert call(capsys, "run", "--quiet", "--input", str(SEEDS / "refused"), "--store", store)[0] == 0
    _, out, _ = call(capsys, "report", "--store", store)
    listed = [int(line.split()[0]) for line in out.splitlines() if line.startswith("    ")]
    assert len(listed) > 3
    assert listed == sorted(listed, reverse=True)
    page = next((tmp_path / "s" / "reports").rglob("index.html")).read_text(encoding="utf-8")
    table = page.split("Why records were refused")[1].split("</table>")[0]
    shown = [int(cell.split("<")[0]) for cell in table.split("<td class='n'>")[1:]]
    assert shown == listed


def test_report_is_whole_and_escaped(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "<script>alert(1)</script>"
    rows = [{"id": "x", "source": hostile, "text": "Seven boats were hauled ashore before the gale reached the bay."}]
    path = write_jsonl(tmp_path / "<b>in.jsonl", rows)
    assert call(capsys, "run", "--quiet", "--input", str(path), "--store", str(tmp_path / "s"))[0] == 0
    page = next((tmp_path / "s" / "reports").rglob("index.html")).read_text(encoding="utf-8")
    assert hostile not in page
    assert "<b>in" not in page
    assert "&lt;script&gt;" in page
    code, out, _ = call(capsys, "report", "--store", str(store))
    assert code == 0
    assert "records in" in out
    code, _, error = call(capsys, "report", "--store", str(store), "--run", "00000001")
    assert code == 2
    assert "did you mean 00000001-" in error


def test_settings_lists_every_setting_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "settings")
    assert code == 0
    for key, known in known_settings().items():
        assert f"{key} = " in out
        assert known.why
    code, out, _ = call(capsys, "settings", "--json", "--set", "match.window_days=7")
    assert json.loads(out)["match.window_days"] == 7


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["explain", "--help"], ["settings", "--help"]])
def test_help_has_an_example(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, *arguments)
    assert code == 0
    assert "example" in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    store = tmp_path / "s"
    command = [sys.executable, "-m", "pipeline", "run", "--input", str(SEEDS / "articles"), "--store", str(store)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not list(store.glob("_staging/*/plan.json")):
        time.sleep(0.01)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "nothing was committed" in error
    assert "Traceback" not in error
    assert not list(store.glob("manifest/*"))
