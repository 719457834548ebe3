"""Which files a run reads: patterns to files, each known by its content."""

from __future__ import annotations

import fnmatch
import glob
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.errors import UsageError
from pipeline.store import COMPACTED, MANIFESTS, STAGING, STREAMED
from schemas.tables import STORE_TABLES
from transforms import staging
from transforms.functions.splits import FORMS, form_of


@dataclass(frozen=True)
class InputFile:
    """A file to read: where it is, its size in bytes, the SHA-256 of its content.

    `also` are further paths of the same content, which is read once. `unreadable` says why a file can't be read; its
    digest is then one of its path, so that it is read when it can be.
    """

    path: str
    size: int
    sha256: str
    unreadable: str | None = None
    also: tuple[str, ...] = ()


OWN_FOLDERS = (MANIFESTS, STAGING, STREAMED, COMPACTED, "reports", *STORE_TABLES)


@dataclass(frozen=True)
class FoundInputs:
    """Files that patterns name, by path.

    Attributes:
        files: each content once, by the first of its paths.
        passed_over: how many of a folder's files are of no known form.
        older: how many were last changed before `since`, and were not opened.
    """

    files: tuple[InputFile, ...]
    passed_over: int
    older: int = 0

    def new(self, known: Set[str]) -> list[InputFile]:
        """Files of which the content is not among the known digests."""
        return [entry for entry in self.files if entry.sha256 not in known]

    def told(self, new: Sequence[InputFile]) -> str:
        """What is read, and what is not and why."""
        parts = [f"{len(new)} of {len(self.files)} files are new"]
        alike = sum(len(entry.also) for entry in self.files)
        if alike:
            parts.append(f"{alike} more have the content of another, which is read once")
        if self.older:
            parts.append(f"{self.older} more were last changed before --since")
        if self.passed_over:
            parts.append(f"{self.passed_over} more are of no known form and were passed over")
        return "; ".join(parts)


def find_inputs(patterns: Sequence[str], store: str, since: datetime | None = None) -> FoundInputs:
    """Files that match any of the patterns; a folder stands for every file of a known form in it.

    A file that several paths lead to counts once, by the path that is no link; the store's own files are no input.
    Links to folders are followed, each folder once, in a given folder and in `**` alike.

    Args:
        since: leaves out files that were last changed before.

    Raises:
        UsageError: a pattern matches nothing, or a file named by a pattern has no known form.
    """
    paths: set[str] = set()
    passed_over = 0
    for pattern in patterns:
        folder = _files_of_folder(pattern)
        if folder is not None:
            inside = [path for path in folder if not _is_inside(path, store)]
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
        if not matched and folder is not None:
            raise UsageError(f"{pattern} holds no file of a known form; expected {' '.join(FORMS)}, also .gz or .zst")
        if not matched:
            raise UsageError(f"no input matches {pattern!r}; check the path, and quote the pattern for the shell")
        paths.update(os.path.normpath(path) if staging.is_local(path) else path for path in matched)
    for path in paths:
        if not path.isprintable():
            raise UsageError(f"{path!r} has a name that can't be printed; rename the file, or leave it out")
    once = sorted(_once(paths))
    recent = [path for path in once if since is None or _changed_at(path) >= since.timestamp()]
    return FoundInputs(distinct(map(input_file, recent)), passed_over, len(once) - len(recent))


def inputs_among(paths: Iterable[str], store: str) -> list[str]:
    """Of local paths those that can be inputs, by path: each file once, not the store's own, with a name that can be
    printed."""
    return sorted(_once({path for path in paths if path.isprintable() and not _is_inside(path, store)}))


def distinct(files: Iterable[InputFile]) -> tuple[InputFile, ...]:
    """Each content once, by the first of its paths; files in the order of their paths."""
    alike: dict[str, list[InputFile]] = {}
    for entry in files:
        alike.setdefault(entry.sha256, []).append(entry)
    return tuple(replace(first, also=tuple(entry.path for entry in more)) for first, *more in alike.values())


def _changed_at(path: str) -> float:
    """When a file was last changed, in seconds since 1970; what can't be asked counts as new, and is told when read."""
    if staging.is_local(path):
        try:
            return os.path.getmtime(path)
        except OSError:
            return float("inf")
    return staging.file_at(path).changed_at or float("inf")


def _is_inside(path: str, store: str) -> bool:
    """Whether a path is one of the store's own files."""
    if not staging.is_local(path) or not staging.is_local(store):
        folder = store.rstrip("/") + "/"
        return path.startswith(folder) and path.removeprefix(folder).split("/")[0] in OWN_FOLDERS
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


def _files_of_folder(pattern: str) -> list[str] | None:
    """The files under it, where it is a folder: elsewhere than on this machine, where no file has that name."""
    if staging.is_local(pattern):
        return list(files_under(pattern)) if os.path.isdir(pattern) else None
    if any(mark in pattern for mark in "*?[") or (not pattern.endswith("/") and staging.exists(pattern)):
        return None
    return [found.path for found in staging.list_files(pattern)] or None


def _match(pattern: str) -> Iterable[str]:
    if not staging.is_local(pattern):
        return [found.path for found in staging.match_files(pattern)]
    parts = pattern.split(os.sep)
    if "**" not in parts:
        return glob.glob(pattern)
    at = parts.index("**")
    tops = glob.glob(os.sep.join(parts[:at]) or (os.sep if at else os.curdir))
    return [
        path for top in tops if os.path.isdir(top)
        for path in files_under(top) if _fits(os.path.relpath(path, top).split(os.sep), parts[at:])
    ]  # fmt: skip


def _fits(names: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether the names of a path fit the parts of a pattern, by the shell's rules."""
    if not parts:
        return not names
    if parts[0] == "**":
        return _fits(names, parts[1:]) or (bool(names) and names[0][0] != "." and _fits(names[1:], parts))
    seen = bool(names) and (names[0][0] != "." or parts[0][:1] == ".")
    return seen and fnmatch.fnmatchcase(names[0], parts[0]) and _fits(names[1:], parts[1:])


def files_under(top: str) -> Iterator[str]:
    """Every file in a folder and those in it; links to folders are followed after all else, each folder once."""
    visited: set[str] = set()
    ahead = [top]
    while ahead:
        links: list[str] = []
        for start in ahead:
            for folder, inside, names in os.walk(start):
                real = os.path.realpath(folder)
                if real in visited:
                    inside.clear()
                    continue
                visited.add(real)
                paths = [os.path.join(folder, name) for name in inside]
                links += [path for path in paths if os.path.islink(path)]
                yield from (os.path.join(folder, name) for name in names)
        ahead = sorted(links)


def input_file(path: str) -> InputFile:
    """The file at a path, known by its content; one that can't be read says so."""
    if staging.is_local(path):
        try:
            return InputFile(path, os.path.getsize(path), staging.sha256(path))
        except OSError as error:
            digest = "unreadable-" + hashlib.sha256(os.path.abspath(path).encode()).hexdigest()
            return InputFile(path, 0, digest, f"the file can't be read: {error.strerror}")
    return InputFile(path, staging.file_at(path).size, staging.sha256(path))
