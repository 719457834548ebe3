"""Which files a run reads: patterns to files, each known by its content."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from apache_beam.io.filesystems import FileSystems

from pipeline.errors import UsageError
from pipeline.store import COMPACTED, MANIFESTS, STAGING
from schemas.tables import STORE_TABLES
from transforms import staging
from transforms.functions.splits import FORMS, form_of


@dataclass(frozen=True)
class InputFile:
    """A file to read: where it is, its size in bytes, the SHA-256 of its content.

    `unreadable` says why a file can't be read; its digest is then one of its path, so that it is read when it can be.
    """

    path: str
    size: int
    sha256: str
    unreadable: str | None = None


OWN_FOLDERS = (MANIFESTS, STAGING, COMPACTED, "reports", *STORE_TABLES)


@dataclass(frozen=True)
class FoundInputs:
    """Files that patterns name, by path, and how many of a folder's files were passed over for their form."""

    files: tuple[InputFile, ...]
    passed_over: int


def find_inputs(patterns: Sequence[str], store: str) -> FoundInputs:
    """Files that match any of the patterns; a folder stands for every file of a known form in it.

    A file that several paths lead to counts once, by the path that is no link; the store's own files are no input.

    Raises:
        UsageError: a pattern matches nothing, or a file named by a pattern has no known form.
    """
    paths: set[str] = set()
    passed_over = 0
    for pattern in patterns:
        if staging.is_local(pattern) and os.path.isdir(pattern):
            inside = [os.path.join(folder, name) for folder, _, names in os.walk(pattern) for name in names]
            inside = [path for path in inside if not _is_inside(path, store)]
            known = [path for path in inside if form_of(path) is not None]
            passed_over += len(inside) - len(known)
            matched = known
        else:
            matched = [path for path in _match(pattern) if not os.path.isdir(path)]
            unknown = sorted(path for path in matched if form_of(path) is None)
            matched = [path for path in matched if not _is_inside(path, store)]
            if unknown:
                raise UsageError(
                    f"{unknown[0]} has no ending of a known form; expected {' '.join(FORMS)}, with or without .gz or "
                    f".zst. Narrow the pattern ({pattern!r}) or give the folder, whose other files are passed over"
                )
        if not matched and staging.is_local(pattern) and os.path.isdir(pattern):
            raise UsageError(f"{pattern} holds no file of a known form; expected {' '.join(FORMS)}, also .gz or .zst")
        if not matched:
            raise UsageError(f"no input matches {pattern!r}; check the path, and quote the pattern for the shell")
        paths.update(os.path.normpath(path) if staging.is_local(path) else path for path in matched)
    for path in paths:
        if not path.isprintable():
            raise UsageError(f"{path!r} has a name that can't be printed; rename the file, or leave it out")
    return FoundInputs(tuple(_input_file(path) for path in sorted(_once(paths))), passed_over)


def _is_inside(path: str, store: str) -> bool:
    """Whether a local path is one of a local store's own files."""
    if not staging.is_local(path) or not staging.is_local(store):
        return False
    inside = os.path.relpath(os.path.realpath(path), os.path.realpath(store)).split(os.sep)
    return inside[0] in OWN_FOLDERS


def _once(paths: set[str]) -> list[str]:
    """Of the paths that lead to one local file the one that is no link, else the first."""
    found: dict[str, str] = {}
    for path in sorted(paths):
        real = os.path.realpath(path) if staging.is_local(path) else path
        if real not in found or os.path.abspath(path) == real:
            found[real] = path
    return list(found.values())


def _match(pattern: str) -> Iterable[str]:
    if staging.is_local(pattern):
        return glob.glob(pattern, recursive=True)
    return [found.path for found in FileSystems.match([pattern])[0].metadata_list]


def _input_file(path: str) -> InputFile:
    if staging.is_local(path):
        try:
            return InputFile(path, os.path.getsize(path), staging.sha256(path))
        except OSError as error:
            digest = "unreadable-" + hashlib.sha256(os.path.abspath(path).encode()).hexdigest()
            return InputFile(path, 0, digest, f"the file can't be read: {error.strerror}")
    return InputFile(path, int(FileSystems.match([path])[0].metadata_list[0].size_in_bytes), staging.sha256(path))
