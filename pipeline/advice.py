"""What a user can do about a failed command, by its cause."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

GENERAL = (
    "Give the same command again: finished steps are not done again.",
    "If it fails in the same way, run `copydesk verify` on the store, and report the error with the file it names.",
)

ADVICE = (
    (
        (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT)),
        (
            "The disk is full. Free space where the store is (`copydesk vacuum` removes leftovers), then give the same "
            "command again: finished steps are not done again.",
        ),
    ),
    (
        (os.strerror(errno.EACCES), os.strerror(errno.EPERM), os.strerror(errno.EROFS)),
        ("Let this user write the store and read the input (see `ls -l`), then give the same command again.",),
    ),
    (
        (os.strerror(errno.ENOENT),),
        (
            "A file vanished while it was needed. If it was an input, put it back or run without it; what was read of "
            "it before is staged, and nothing of it is committed.",
        ),
    ),
    (
        ("MemoryError", os.strerror(errno.ENOMEM), "malloc of size", "BrokenProcessPool"),
        ("The memory ran out. Give the same command again with --workers 1, or fewer files at a time.",),
    ),
    (
        ("another run is writing", "another run has committed"),
        ("Wait until the other command has ended, then give this one again. Nothing was changed.",),
    ),
    (
        ("--max-rejected-fraction",),
        (
            "See why with the reasons above: a wrong --field, or files of another form, refuse everything.",
            "Mend the input, or give the same command with a higher --max-rejected-fraction: it goes on at its end.",
        ),
    ),
)
"""What an error says, and what to do then; the first that fits counts."""


def advice(error: BaseException) -> tuple[str, ...]:
    """What to do about an error, by what it and its causes say."""
    said = " ".join(f"{type(one).__name__}: {one}" for one in _causes(error))
    return next((lines for words, lines in ADVICE if any(word in said for word in words)), GENERAL)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__
