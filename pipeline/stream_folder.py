"""A watched folder as the source of a stream."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.errors import UsageError
from pipeline.inputs import InputFile, distinct, files_under, input_file, inputs_among
from pipeline.store import Store
from pipeline.stream_sources import Lag
from pipeline.topic_ledger import TopicRange, is_range
from pipeline.vacuum import unfinished_inputs
from transforms.functions.splits import form_of
from transforms.functions.topics import Topic

LOOK_SECONDS = 0.5
"""Between two looks at the folder: a file that changed between them still grows."""

UNREADY = re.compile(r"(^|/)[.~][^/]*$|\.(tmp|temp|part|partial|unfinished|crdownload|filepart)(\.|$)", re.IGNORECASE)
"""Names under which programs write what they rename when it is whole: hidden, or with such an ending or part."""


@dataclass(frozen=True)
class State:
    """What tells that a file has changed: size in bytes, last change (of its content, name or rights) in ns, and which
    file it is."""

    size: int
    changed_ns: int
    inode: int


def states_of(paths: Sequence[str]) -> dict[str, State]:
    """The state of each file; those that are gone are left out."""
    found = {}
    for path in paths:
        try:
            told = os.stat(path)
        except FileNotFoundError:
            continue
        found[path] = State(told.st_size, told.st_ctime_ns, told.st_ino)
    return found


def settled(before: Mapping[str, State], now: Mapping[str, State]) -> list[str]:
    """Files that didn't change from one look to the next, in the order in which they were last changed."""
    same = [path for path, state in now.items() if before.get(path) == state]
    return sorted(same, key=lambda path: (now[path].changed_ns, path))


class FolderSource:
    """Files that appear in a local folder, grow, or are renamed into it; each state of a file is looked at once.

    Which of them are new is for their content to tell, as for `copydesk run`.
    """

    def __init__(self, folder: str, store: str) -> None:
        if not os.path.isdir(folder):
            raise UsageError(
                f"--from {folder!r}: expected kafka://HOST:PORT/TOPIC, or a folder that is there; make the folder first"
            )
        self.place = folder
        self.topic: Topic | None = None
        self.trouble: str | None = None
        self._folder, self._store = folder, store
        self._seen: dict[str, State] = {}
        self._before: dict[str, State] = {}
        self._ready: list[str] = []
        self._going_on: list[InputFile] = []
        self._looked = 0.0
        self._lag = (0, 0.0)

    @property
    def waiting(self) -> int:
        """Files that can go into the next batch."""
        return len(self._ready)

    def full(self, most: int) -> bool:
        """Whether so many files are ready."""
        return self.waiting >= most

    def start(self, store: Store) -> Sequence[str]:
        """Looks for a batch that was killed and can be gone on with; gives lines to tell."""
        self._going_on = _unfinished_files(store, self._folder)
        self._ready = [entry.path for entry in self._going_on]
        return ["a batch had not finished; it comes first"] if self._going_on else []

    def poll(self, seconds: float) -> int:
        """Looks at the folder, after waiting until that is due; gives how many more files are ready."""
        if self._going_on:
            return 0
        due = self._looked + LOOK_SECONDS - time.monotonic()
        if due > 0:
            time.sleep(min(due, seconds))
            if due > seconds:
                return 0
        self._looked = time.monotonic()
        paths = [path for path in files_under(self._folder) if form_of(path) is not None and not UNREADY.search(path)]
        now = {path: state for path, state in states_of(paths).items() if self._seen.get(path) != state}
        ours = set(inputs_among(now, self._store)) if now.keys() - self._before.keys() else self._before.keys()
        self._seen |= {path: state for path, state in now.items() if path not in ours}
        now = {path: state for path, state in now.items() if path in ours}
        already = len(self._ready)
        self._ready = settled(self._before, now)
        self._before = now
        self._note_lag()
        return max(0, len(self._ready) - already)

    def _note_lag(self) -> None:
        self._lag = (len(self._before), min((one.changed_ns for one in self._before.values()), default=0) / 1e9)

    def inputs(self, store: Store, most: int) -> Sequence[InputFile]:
        """The ready files of new content, at most so many; those that the store has read are done with."""
        if self._going_on:
            return self._going_on
        taken = self._ready[:most]
        self._ready = self._ready[most:]
        self._taken = states_of(taken)
        known = store.known_inputs()
        new = [entry for entry in distinct(map(input_file, self._taken)) if entry.sha256 not in known]
        if not new:
            self._done()
        return new

    def committed(self, inputs: Sequence[InputFile | TopicRange]) -> None:
        """These files, as they were, are done with."""
        if self._going_on:
            self._going_on = []
            self._ready = []
            return
        del inputs
        self._done()

    def _done(self) -> None:
        self._seen |= self._taken
        for path in self._taken:
            self._before.pop(path, None)
        self._note_lag()

    def failed(self, inputs: Sequence[InputFile | TopicRange]) -> bool:
        """A file that vanished while it was read fails a run; the next one does without it."""
        if all(os.path.exists(one.path) for one in inputs):
            return False
        self._going_on, self._ready, self._before = [], [], {}
        return True

    def lag(self) -> Lag:
        """Files that are there and not committed, and how long ago the first of them was last changed."""
        count, oldest = self._lag
        return Lag(count, max(0.0, time.time() - oldest) if count else 0.0, "files")

    def close(self) -> None:
        """There is nothing to end."""


def _unfinished_files(store: Store, watched: str) -> list[InputFile]:
    """The inputs of a run that was killed and can be gone on with: files of the watched folder, as they were; else
    none."""
    for entries in unfinished_inputs(store):
        if any(map(is_range, entries)):
            continue
        files = [InputFile(**{**entry, "also": tuple(entry["also"])}) for entry in entries]
        if all(one.path.startswith(os.path.join(watched, "")) for one in files) and all(
            os.path.isfile(one.path) and input_file(one.path).sha256 == one.sha256 for one in files
        ):
            return files
    return []
