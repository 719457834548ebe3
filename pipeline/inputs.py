"""Which files a run reads: patterns to files, each known by its content."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from apache_beam.io.filesystems import FileSystems

from pipeline.errors import UsageError
from transforms import staging
from transforms.functions.splits import FORMS, form_of


@dataclass(frozen=True)
class InputFile:
    """A file to read: where it is, its size in bytes, the SHA-256 of its content."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class FoundInputs:
    """Files that patterns name, by path, and how many of a folder's files were passed over for their form."""

    files: tuple[InputFile, ...]
    passed_over: int


def find_inputs(patterns: Sequence[str]) -> FoundInputs:
    """Files that match any of the patterns; a folder stands for every file of a known form in it.

    Raises:
        UsageError: a pattern matches nothing, or a file named by a pattern has no known form.
    """
    paths: set[str] = set()
    passed_over = 0
    for pattern in patterns:
        if staging.is_local(pattern) and os.path.isdir(pattern):
            inside = [os.path.join(folder, name) for folder, _, names in os.walk(pattern) for name in names]
            known = [path for path in inside if form_of(path) is not None]
            passed_over += len(inside) - len(known)
            matched = known
        else:
            matched = [path for path in _match(pattern) if not os.path.isdir(path)]
            unknown = sorted(path for path in matched if form_of(path) is None)
            if unknown:
                raise UsageError(
                    f"{unknown[0]} has no ending of a known form; expected {' '.join(FORMS)}, with or without .gz or "
                    f".zst. Narrow the pattern ({pattern!r}) or give the folder, whose other files are passed over"
                )
        if not matched:
            raise UsageError(f"no input matches {pattern!r}; check the path, and quote the pattern for the shell")
        paths.update(os.path.normpath(path) if staging.is_local(path) else path for path in matched)
    return FoundInputs(tuple(_input_file(path) for path in sorted(paths)), passed_over)


def _match(pattern: str) -> Iterable[str]:
    if staging.is_local(pattern):
        return glob.glob(pattern, recursive=True)
    return [found.path for found in FileSystems.match([pattern])[0].metadata_list]


def _input_file(path: str) -> InputFile:
    if staging.is_local(path):
        return InputFile(path, os.path.getsize(path), staging.sha256(path))
    return InputFile(path, int(FileSystems.match([path])[0].metadata_list[0].size_in_bytes), staging.sha256(path))
