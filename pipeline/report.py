"""The HTML report of a run: one page without scripts or outside files, made of the manifest alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from pipeline.summary import by_count
from schemas.reasons import REASONS
from transforms import staging

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1c1c1c;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem;border-bottom:1px solid #ccc}
table{border-collapse:collapse;width:100%}td,th{padding:.25rem .5rem;text-align:start;vertical-align:top}
td.n,th.n{text-align:end;font-variant-numeric:tabular-nums;white-space:nowrap}tr:nth-child(even){background:#f5f5f5}
td{overflow-wrap:anywhere}.totals{display:flex;gap:1rem;flex-wrap:wrap}
.totals div{background:#f0f3f7;padding:.75rem 1rem;border-radius:.4rem;min-width:8rem}
.totals b{display:block;font-size:1.6rem}
@media(prefers-color-scheme:dark){body{background:#16181c;color:#e6e6e6}tr:nth-child(even){background:#1f2228}
.totals div{background:#22262e}}
"""


def report_html(manifest: dict[str, Any]) -> str:
    """The page as text; everything that came from outside is escaped."""
    counts, tallies = manifest["counts"], manifest["tallies"]
    refused = tallies.get("rejected_by_reason", {})
    totals = "".join(
        f"<div><b>{counts[name]:,}</b>{escape(label)}</div>"
        for name, label in (
            ("records", "records in"), ("clean", "clean"), ("copies", "copies"), ("rejected", "rejected"),
            ("relabelled", "relabelled"),
        )
    )  # fmt: skip
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<title>copydesk run {escape(manifest['run_id'])}</title><style>{STYLE}</style></head><body>",
        f"<h1>Run {escape(manifest['run_id'])}</h1><p>Started {escape(manifest['started_at'])}, committed "
        f"{escape(manifest['committed_at'])}.</p><div class='totals'>{totals}</div>",
        _table("Warnings", ("what is unusual",), ((warning["message"],) for warning in manifest.get("warnings", ()))),
        _table("Why records were refused", ("reason", "what it means", "records"),
               ((name, REASONS.get(name, ""), count) for name, count in by_count(refused))),
        _table("Relations", ("relation", "articles"), _added(tallies, "by_relation")),
        _table("What was taken out of the text", ("rule", "spans"), _added(tallies, "by_rule")),
        _table("Outlets", ("outlet", "clean", "copies"), _side_by_side(tallies, "by_source")),
        _table("Agencies credited", ("agency", "articles"), _added(tallies, "by_agency")),
        _table("Languages", ("language", "clean", "copies"), _side_by_side(tallies, "by_language")),
        _table("Files", ("file", "records", "clean", "copies", "rejected"),
               ((_place(e), e["records"], e["clean"], e["copies"], e["rejected"]) for e in manifest["inputs"][:500])),
        _table("Files of the same content as one of those", ("file", "read as"),
               ((path, entry["path"]) for entry in manifest["inputs"][:500] for path in entry.get("also", ()))),
        _table("Caps", ("what", "how many"), manifest["caps"].items()),
        _table("Settings", ("setting", "value"), ((key, str(value)) for key, value in manifest["settings"].items())),
        "</body></html>",
    ]  # fmt: skip
    return "".join(parts)


def write_report(folder: str, manifest: dict[str, Any]) -> str:
    """Writes the page under `folder`/reports; gives its path."""
    path = f"{folder}/reports/run={manifest['run_id']}/index.html"
    page = report_html(manifest).encode("utf-8", "replace")
    staging.write_whole(path, lambda sink: sink.write(page))
    return path


def _place(entry: Mapping[str, Any]) -> str:
    """A file's path, or a topic partition with the offsets read."""
    if "end_offset" not in entry:
        return str(entry["path"])
    return f"{entry['path']} from {entry['first_offset']:,} to {entry['end_offset'] - 1:,}"


def _table(title: str, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    body = ""
    for row in rows:
        cells = (
            f"<td class='n'>{cell:,}</td>" if isinstance(cell, int) else f"<td dir='auto'>{escape(str(cell))}</td>"
            for cell in row
        )
        body += f"<tr>{''.join(cells)}</tr>"
    if not body:
        return ""
    heads = "".join(f"<th>{escape(head)}</th>" for head in header)
    return f"<h2>{escape(title)}</h2><table><tr>{heads}</tr>{body}</table>"


def _added(tallies: Mapping[str, Mapping[str, int]], name: str) -> list[tuple[str, int]]:
    total: dict[str, int] = {}
    for table in ("clean", "copies"):
        for key, count in tallies.get(f"{table}_{name}", {}).items():
            total[key] = total.get(key, 0) + count
    return by_count(total)


def _side_by_side(tallies: Mapping[str, Mapping[str, int]], name: str) -> list[tuple[str, int, int]]:
    clean, copies = tallies.get(f"clean_{name}", {}), tallies.get(f"copies_{name}", {})
    rows = [(key or "(not given)", clean.get(key, 0), copies.get(key, 0)) for key in {*clean, *copies}]
    return sorted(rows, key=lambda row: (-row[1] - row[2], row[0]))
