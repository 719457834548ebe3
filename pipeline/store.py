"""The store: what its manifests name, and nothing else."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import claims
from pipeline.errors import BusyStoreError, UsageError
from schemas.tables import SCHEMA_VERSION, STORE_TABLES
from transforms import staging

MANIFESTS = "manifest"
STAGING = "_staging"
LOCK = "_staging/lock"
STREAMED = "_stream"
"""Where the unbounded graph stages what is not committed yet, and the sketches that it compares with."""
COMPACTED = "_compacted"
"""Where compaction writes: readers by pattern (`clean/*/*.parquet`) don't see it, manifests name it."""
COMPACTION = "compaction"
"""The `kind` of a compaction's manifest; a run's own is `run` or absent."""


def written(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Entries of every file that a run wrote, those that a compaction has superseded since included."""
    return [*manifest["files"], *manifest.get("superseded", [])]


_READ: dict[tuple[str, ...], pa.Table] = {}
"""What stores with `keep_read` have read, by file and columns: files are never written again."""


class Store:
    """A store at a path; the manifests are read once.

    Args:
        keep_read: tables once read stay in this process's memory, for the many small runs of a stream.

    Raises:
        UsageError: the path holds something else, or a store written by a newer program.
    """

    def __init__(self, path: str, keep_read: bool = False) -> None:
        if not path.strip():
            raise UsageError("--store is empty; expected a folder (is a variable unset?)")
        self.path, self.keep_read = path.rstrip("/") or path, keep_read
        if not staging.is_local(path):
            claims.objects_of(path)
        elif os.path.exists(path) and not os.path.isdir(path):
            raise UsageError(f"{path} is a file; expected a folder for the store, or a path where there is nothing yet")
        self.manifests: list[dict[str, Any]] = [staging.read_json(one) for one in self._manifest_paths()]
        self.superseded = {path for manifest in self.manifests for path in manifest.get("supersedes", ())}
        for manifest in self.manifests:
            if manifest["schema_version"] > SCHEMA_VERSION:
                raise UsageError(
                    f"{path} was written with schema version {manifest['schema_version']}; this program knows up to "
                    f"{SCHEMA_VERSION}. Install a newer copydesk"
                )

    def _manifest_paths(self) -> list[str]:
        folder = staging.join(self.path, MANIFESTS)
        if staging.is_local(folder):
            names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
            return [staging.join(folder, name) for name in names if name.endswith(".json")]
        return [found.path for found in staging.match_files(folder + "/*.json")]

    @property
    def next_number(self) -> int:
        """The number of the next run, from 1."""
        return (self.manifests[-1]["number"] if self.manifests else 0) + 1

    def require(self) -> None:
        """Raises UsageError where nothing has been committed."""
        if not self.manifests:
            raise UsageError(
                f"{self.path} holds no committed run; make one with `copydesk run --input ... --store {self.path}`"
            )

    def check_scheme(self, scheme: str) -> None:
        """Raises UsageError where the store's fingerprints were made otherwise."""
        stored = self.manifests[-1]["scheme"] if self.manifests else scheme
        if stored != scheme:
            raise UsageError(
                f"{self.path} holds fingerprints of the scheme {stored}; this run would make {scheme}, and the two "
                "can't be compared. Give the sign.* settings the store was made with; where `fold` or `terms` differs, "
                "another version of the program made it: take its articles into a new store (`copydesk upgrade "
                f"--store {self.path} --to NEW`). What is in this one can still be read, exported and verified"
            )

    def known_inputs(self) -> set[str]:
        """Content digests of every file that a committed run has read."""
        return {entry["sha256"] for manifest in self.manifests for entry in manifest["inputs"]}

    def files(self, table: str, run: str | None = None) -> list[str]:
        """Paths of a table's files, in the order of the runs; not those that a compaction has superseded."""
        return [
            staging.join(self.path, entry["path"])
            for manifest in self.manifests
            if run in (None, manifest["run_id"])
            for entry in self.entries(manifest)
            if entry["table"] == table
        ]

    def entries(self, manifest: dict[str, Any]) -> list[dict[str, Any]]:
        """Entries of a manifest's files that count now.

        A manifest that a compaction has settled already counts with all its files where the compaction's own manifest
        was not there yet when the folder was listed.
        """
        return [entry for entry in written(manifest) if entry["path"] not in self.superseded]

    @property
    def runs(self) -> list[dict[str, Any]]:
        """Manifests of runs, without those of compactions."""
        return [manifest for manifest in self.manifests if manifest.get("kind") != COMPACTION]

    @property
    def undecided(self) -> list[dict[str, Any]]:
        """Manifests from the first run on of which no later run has made the provisional labels final."""
        final = [
            at for at, one in enumerate(self.manifests) if one.get("kind") != COMPACTION and not one.get("provisional")
        ]
        later = self.manifests[final[-1] + 1 if final else 0 :]
        first = next((at for at, one in enumerate(later) if one.get("provisional")), len(later))
        return later[first:]

    @property
    def whole_from(self) -> int | None:
        """The first day (since 1970) of which sketches are whole; None where all of them are."""
        days = [manifest["whole_from"] for manifest in self.manifests if manifest.get("whole_from") is not None]
        return max(days, default=None)

    def read(self, table: str, columns: Sequence[str] | None = None, run: str | None = None) -> pa.Table:
        """All rows of a table, earlier runs first.

        Columns that a file of an older schema lacks are null, or 0, False, "" and [] where the schema has no nulls.
        """
        schema = STORE_TABLES[table]
        names = list(columns) if columns is not None else schema.names
        wanted = pa.schema([schema.field(name) for name in names])
        parts = [self.read_file(path, names, table) for path in self.files(table, run)]
        return pa.concat_tables([wanted.empty_table(), *parts])

    def read_file(self, path: str, names: list[str], table: str) -> pa.Table:
        """Columns of one of a table's files, those that it lacks made up as `read` does."""
        wanted = pa.schema([STORE_TABLES[table].field(name) for name in names])
        if not self.keep_read:
            return filled(staging.read_parquet(path, names), wanted)
        if (path, *names) not in _READ:
            _READ[path, *names] = staging.read_parquet(path, names)
        return filled(_READ[path, *names], wanted)

    def commit(self, manifest: dict[str, Any]) -> str:
        """Writes the manifest of a run: the moment at which the run exists.

        Raises:
            BusyStoreError: another run has committed under this number meanwhile.
        """
        path = staging.join(self.path, MANIFESTS, f"{manifest['number']:08d}.json")
        if not staging.is_local(path):
            if not claims.create(path, manifest):
                raise BusyStoreError(f"{path} exists: another run has committed meanwhile. Run again")
            return path
        unlinked = staging.join(self.path, STAGING, f"manifest-{manifest['number']:08d}.json")
        staging.write_json(unlinked, manifest)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            # A link fails where the name is taken, which a rename doesn't.
            os.link(unlinked, path)
        except FileExistsError:
            raise BusyStoreError(f"{path} exists: another run has committed meanwhile. Run again") from None
        finally:
            os.unlink(unlinked)
        for folder in (os.path.dirname(path), self.path):
            staging.sync_folder(folder)
        return path


@contextmanager
def locked(path: str, *, sole_writer: bool = False) -> Iterator[None]:
    """Holds the store for one writer; the lock goes with the process, however it ends.

    Args:
        sole_writer: the user's word that nobody else writes a store on a filesystem that can't promise it.

    Raises:
        UsageError: the folder can't be written, or one writer not promised. BusyStoreError: another run holds the
            store.
    """
    if not staging.is_local(path):
        with claims.claimed(path, staging.join(path, LOCK), sole_writer=sole_writer):
            yield
        return
    try:
        os.makedirs(os.path.join(path, STAGING), exist_ok=True)
        lock = open(os.path.join(path, LOCK), "a+")  # noqa: SIM115 - held for the whole run
    except OSError as error:
        raise UsageError(f"{path} can't be written ({error.strerror}); expected one this user may write") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyStoreError(f"another run is writing {path}; wait until it has ended, then run again") from None
        yield


def read_in_batches(path: str, wanted: pa.Schema, rows: int) -> Iterator[pa.Table]:
    """A file's columns of `wanted`, so many rows at a time; those that a file of an older schema lacks are made up."""
    with staging.open_file(path) as source:
        file = pq.ParquetFile(source)
        held = [name for name in wanted.names if name in file.schema_arrow.names]
        for batch in file.iter_batches(rows, columns=held):
            yield filled(pa.Table.from_batches([batch]), wanted)


def filled(part: pa.Table, wanted: pa.Schema) -> pa.Table:
    """The columns of `wanted`, made up where the part has none."""
    columns = []
    for field in wanted:
        if field.name in part.column_names:
            columns.append(part.column(field.name).cast(field.type))
        elif field.nullable:
            columns.append(pa.nulls(part.num_rows, field.type))
        else:
            columns.append(pa.repeat(_nothing(field.type), part.num_rows))
    return pa.table(columns, schema=wanted)


def _nothing(kind: pa.DataType) -> pa.Scalar:
    if pa.types.is_list(kind):
        return pa.scalar([], kind)
    return pa.scalar("", kind) if pa.types.is_string(kind) else pa.scalar(0).cast(kind)
