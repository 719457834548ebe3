"""A store's articles into a new store: cleaned, compared and labelled anew by this program, without their inputs.

What a store removed from a text it can put back, so its articles are an input like any other. They keep their ids,
`source_uri` and position; what was refused stays refused, and the inputs that were read stay known.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from pipeline import build
from pipeline.errors import UsageError
from pipeline.progress import Progress
from pipeline.run import RunInProgress, RunOptions
from pipeline.runners import Jobs
from pipeline.store import Store, locked
from transforms import staging

UPGRADE = "upgrade"
"""The `kind` of the manifest."""
READ = ("clean", "copies", "rejected")
COUNTED = ("records", *READ)
"""What a manifest says of an input that the new store's own says again."""


def upgrade(options: RunOptions, old: str, progress: Progress) -> dict[str, Any]:
    """Makes one run of everything that another store holds; gives the manifest.

    Args:
        options: `store` is the new one. old: path of the other, which is only read.

    Raises:
        UsageError: there is no old store, or there is something in the new one. RunError: it failed; nothing was
            committed.
    """
    jobs = Jobs(options.runner, options.workers)
    given, made = Store(staging.absolute(old)), Store(staging.absolute(options.store))
    given.require()
    if _is_within(made.path, given.path) or _is_within(given.path, made.path):
        raise UsageError(f"--to {made.path} and --store {given.path} lie in each other; expected a place of its own")
    with ExitStack() as held:
        if not staging.is_local(given.path) or os.access(given.path, os.W_OK):
            # What another run committed meanwhile would be missing.
            held.enter_context(locked(given.path, sole_writer=options.sole_writer))
        held.enter_context(locked(made.path, sole_writer=options.sole_writer))
        given, made = Store(given.path), Store(made.path)
        if made.manifests:
            raise UsageError(f"{made.path} is a store already; expected a place where there is nothing yet")
        return _Upgrade(options, made, given, jobs, progress).commit()


def _is_within(path: str, folder: str) -> bool:
    if staging.is_local(path) and staging.is_local(folder):
        path, folder = os.path.realpath(path), os.path.realpath(folder)
    return f"{path}/".startswith(f"{folder}/")


class _Upgrade(RunInProgress):
    """A run of which the input is another store."""

    def __init__(self, options: RunOptions, store: Store, old: Store, jobs: Jobs, progress: Progress) -> None:
        self.old = old
        super().__init__(options, store, (), jobs, progress)

    def _plan(self, entries: list[dict[str, Any]], origin: Sequence[str] = ()) -> dict[str, Any]:
        read = [
            {name: value for name, value in entry.items() if name not in COUNTED}
            for manifest in self.old.manifests
            for entry in manifest["inputs"]
        ]
        # Not what a run over these inputs would stage, nor an upgrade of another store of them.
        plan = super()._plan([*entries, *read], [*origin, UPGRADE, *(entry["sha256"] for entry in self._stored())])
        return plan | {"kind": UPGRADE}

    def _stored(self) -> list[dict[str, Any]]:
        """Entries of the old store's files that are read."""
        return [
            entry for manifest in self.old.manifests for entry in self.old.entries(manifest) if entry["table"] in READ
        ]

    def _stage(self) -> list[dict[str, Any]]:
        files = [{"table": one["table"], "path": staging.join(self.old.path, one["path"])} for one in self._stored()]
        staged = staging.join(self.folder, "staged")
        # Texts take about three times as much when they are staged: without compression, but also without evidence.
        self.progress.expect(3 * sum(entry["bytes"] for entry in self._stored()), staged)
        rows = self._job(
            "1-stage", lambda pipeline, listing: build.build_restage(pipeline, files, staged, listing, self.settings)
        )
        return sorted(rows, key=lambda row: str(row["name"]))
