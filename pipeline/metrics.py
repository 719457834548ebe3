"""A run's outcome as a Prometheus text file, for node_exporter's textfile collector."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import UsageError
from pipeline.progress import Progress
from pipeline.store import MANIFESTS
from schemas.tables import STORE_TABLES
from transforms import staging

Samples = Iterable[tuple[Mapping[str, str], float]]


@dataclass
class Outcome:
    """What there is to tell of a run when it ends; `manifest` stays None where it fails."""

    manifest: dict[str, Any] | None = None
    started: float = field(default_factory=time.time)


@contextmanager
def recorded(path: str | None, store: str, progress: Progress) -> Iterator[Outcome]:
    """Writes the metrics of what is done within, however it ends; does nothing where path is None.

    Raises:
        UsageError: there is no folder for the file, or it can't be written.
    """
    outcome = Outcome()
    if path is None:
        yield outcome
        return
    path = checked_place(path)
    try:
        yield outcome
    finally:
        text = metrics_text(outcome, time.time(), progress.seconds, newest_commit(store))
        try:
            staging.write_whole(path, lambda sink: sink.write(text.encode()))
        except OSError as error:
            progress.say(f"the metrics could not be written: {error}", level="warning")


def checked_place(path: str) -> str:
    """The metrics file's whole path.

    Raises:
        UsageError: there is no folder for it, or it can't be written.
    """
    path = os.path.abspath(path)
    if not os.access(os.path.dirname(path), os.W_OK):
        raise UsageError(f"--metrics {path}: expected a file in a folder that is there and may be written")
    return path


def newest_commit(store: str) -> float:
    """When the newest manifest was written, in seconds since 1970; 0 where nothing was committed."""
    if not staging.is_local(store):
        manifests = staging.list_files(staging.join(store, MANIFESTS))
        return manifests[-1].changed_at if manifests else 0.0
    folder = os.path.join(store, MANIFESTS)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return os.path.getmtime(os.path.join(folder, names[-1])) if names else 0.0


def metrics_text(outcome: Outcome, ended: float, step_seconds: Mapping[str, float], committed: float) -> str:
    """The file's text. A run that found nothing new is a success of 0 records; a failed one has no counts."""
    manifest = outcome.manifest
    lines = [
        *gauge("run_success", "Whether the last command ended well (1) or failed (0).", [({}, manifest is not None)]),
        *gauge("run_end_timestamp_seconds", "When the last command ended.", [({}, ended)]),
        *gauge("run_seconds", "How long the last command took.", [({}, ended - outcome.started)]),
        *gauge("run_step_seconds", "How long each step took; steps that were finished before are absent.",
                [({"step": name}, seconds) for name, seconds in step_seconds.items()]),
        *gauge("last_commit_timestamp_seconds", "When the store's newest run was committed.", [({}, committed)]),
    ]  # fmt: skip
    if manifest is not None:
        lines += run_figures(manifest)
    return "\n".join(lines) + "\n"


def run_figures(manifest: Mapping[str, Any]) -> list[str]:
    """The lines of what a run read, wrote and refused."""
    nothing = bool(manifest.get("nothing_new"))
    counts = {} if nothing else manifest["counts"]
    files = [] if nothing else manifest["files"]
    inputs = [] if nothing else manifest["inputs"]
    refused = {} if nothing else manifest["tallies"].get("rejected_by_reason", {})

    def summed(name: str) -> Samples:
        return [
            ({"table": table}, sum(entry[name] for entry in files if entry["table"] == table)) for table in STORE_TABLES
        ]

    return [
        *gauge("run_records", "Records read by the last run.", [({}, counts.get("records", 0))]),
        *gauge("run_input_files", "Files read by the last run.", [({}, len(inputs))]),
        *gauge("run_input_bytes", "Bytes of those files.", [({}, sum(entry["size"] for entry in inputs))]),
        *gauge("run_rows", "Rows written by the last run, by table.", summed("rows")),
        *gauge("run_bytes", "Bytes written by the last run, by table.", summed("bytes")),
        *gauge("run_relabelled", "Older articles with a new label.", [({}, counts.get("relabelled", 0))]),
        *gauge("warnings", "What the last run warned of: sources nearly all copies, stories grown too large.",
                [({}, len(manifest.get("warnings", ())))]),
        *gauge("run_rejected", "Records refused by the last run, by reason.",
                [({"reason": reason}, count) for reason, count in sorted(refused.items())]),
    ]  # fmt: skip


def gauge(name: str, about: str, samples: Samples) -> list[str]:
    """The lines of one figure, `copydesk_NAME`, by its labels."""
    lines = [f"# HELP copydesk_{name} {about}", f"# TYPE copydesk_{name} gauge"]
    for labels, value in samples:
        told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"copydesk_{name}{'{' + told + '}' if told else ''} {float(value):.15g}")
    return lines


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
