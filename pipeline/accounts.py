"""The account of a run: its manifest, and the sums that must be right before it is committed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from pipeline.errors import RunError
from pipeline.guards import warnings_of
from schemas.settings import Settings
from schemas.tables import SCHEMA_VERSION
from transforms.functions.refusals import stored_uri
from transforms.functions.signing import scheme


def manifest_of(
    plan: dict[str, Any],
    settings: Settings,
    parts: list[dict[str, Any]],
    files: list[dict[str, Any]],
    caps: dict[str, int],
    relabelled: int,
    stories: pa.ChunkedArray,
) -> dict[str, Any]:
    """The manifest of a run that is about to be committed.

    Args:
        plan: what the run set out to do.
        parts: what it read, by staged part; files: what it published.
        caps: what the caps of matching cost.
        relabelled: how many articles of earlier runs have another label now.
        stories: the story of every article with a match, which the warnings look at.
    """
    by_file = {name: Counter[str]() for name in ("clean", "copies", "rejected")}
    totals: dict[str, Counter[str]] = {}
    for entry in files:
        if entry["table"] in by_file:
            by_file[entry["table"]].update(entry["by_source_uri"])
        for key, counts in entry.items():
            if key.startswith("by_") and key != "by_source_uri":
                totals.setdefault(f"{entry['table']}_{key}", Counter()).update(counts)
    counted = {"records": Counter[str](), **by_file}
    for part in parts:
        counted["records"][part["uri"]] += part["given"]
    # What was read of one path at several times (another store's inputs) is told with the first.
    inputs = [
        {**entry, **{name: _taken(counts, entry["path"]) for name, counts in counted.items()}}
        for entry in plan["inputs"]
    ]
    counts = {name: sum(entry[name] for entry in inputs) for name in ("records", *by_file)}
    counts["words"] = sum(part["words"] for part in parts)
    counts["relabelled"] = relabelled
    counts["stories"] = sum(totals.get("clean_by_relation", Counter()).values())
    # Before the tallies are cut to what is common: a source beyond them is warned of too.
    clean, copies = (totals.get(f"{table}_by_source", Counter()) for table in ("clean", "copies"))
    return {
        "kind": plan["kind"], "number": plan["number"], "run_id": plan["run_id"],
        "schema_version": SCHEMA_VERSION, "scheme": scheme(settings.sign),
        "started_at": plan["started_at"],
        "committed_at": datetime.now(UTC).isoformat(timespec="microseconds"),
        "provisional": plan["provisional"], "settings": plan["settings"],
        "counts": counts, "caps": caps, "inputs": inputs,
        "warnings": [warning.as_dict() for warning in warnings_of(clean, copies, stories, settings.run)],
        "tallies": {name: dict(tally.most_common(200)) for name, tally in sorted(totals.items())},
        "files": [{key: entry[key] for key in ("table", "path", "rows", "bytes", "sha256")} for entry in files],
    }  # fmt: skip


def _taken(counts: Counter[str], path: str) -> int:
    """What is counted of a file, under its path or as `rejected/` names it; it is counted no more then."""
    return sum(counts.pop(uri, 0) for uri in {path, stored_uri(path)})


def check_sums(manifest: dict[str, Any], settings: Settings) -> None:
    """Nothing vanishes: records in = clean + copies + rejected, per file and in all.

    Raises:
        RunError: a sum is wrong, or more was refused than the settings allow.
    """
    for entry in [*manifest["inputs"], {"path": "all files", **manifest["counts"]}]:
        out = entry["clean"] + entry["copies"] + entry["rejected"]
        if entry["records"] != out:
            raise RunError(
                f"{entry['path']}: {entry['records']} records were read but {out} would be written (clean "
                f"{entry['clean']}, copies {entry['copies']}, rejected {entry['rejected']}). Nothing was "
                "committed; this is a defect of copydesk, please report it with the staging folder"
            )
    counts = manifest["counts"]
    tally = manifest["tallies"].get("rejected_by_reason", {})
    repeats = tally.get("repeat", 0)
    refused, given = counts["rejected"] - repeats, counts["records"] - repeats
    most = settings.run.max_rejected_fraction
    if given and refused / given > most:
        worst = ", ".join(f"{name} {count}" for name, count in tally.items() if name != "repeat")
        raise RunError(
            f"{refused} of {given} records (repeats not counted) were refused ({worst}), more than the share "
            f"{most:g} that --max-rejected-fraction allows. Nothing was committed"
        )
