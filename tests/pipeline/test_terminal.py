"""What is shown on a terminal: one line that is rewritten, never wider than it, and lines of their own above."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
from collections.abc import Callable
from pathlib import Path

from pipeline.progress import Progress
from pipeline.stream_folder import FolderSource
from pipeline.stream_sources import Lag
from pipeline.stream_status import StreamStatus

COLUMNS = 40
END = "\0"


def seen(act: Callable[[Progress], None]) -> list[str]:
    """The rows of a terminal of COLUMNS after an act that writes to it."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    with os.fdopen(slave, "w") as stream:
        progress = Progress(stream)
        assert progress.on_terminal
        act(progress)
        stream.write(END)
        stream.flush()
        given = b""
        while not given.endswith(END.encode()):  # before the other side closes: what is left then may be lost
            given += os.read(master, 1 << 16)
    os.close(master)
    return rows_of(given.decode().removesuffix(END))


def rows_of(given: str) -> list[str]:
    """What a terminal makes of characters, returns, new lines and `clear to the end of the line`."""
    rows, column = [""], 0
    at = 0
    while at < len(given):
        if given.startswith("\x1b[K", at):
            rows[-1], at = rows[-1][:column], at + 3
            continue
        one = given[at]
        at += 1
        if one == "\r":
            column = 0
        elif one == "\n":
            rows.append("")
        else:
            if column == COLUMNS:
                rows.append("")
                column = 0
            rows[-1] = rows[-1][:column] + one + rows[-1][column + 1 :]
            column += 1
    return rows


def test_a_line_is_shown_in_the_place_of_the_one_before() -> None:
    assert seen(lambda progress: [progress.show("first and longer"), progress.show("second")][0]) == ["second"]


def test_a_line_wider_than_the_terminal_is_cut() -> None:
    [row] = seen(lambda progress: [progress.show("x" * 100), progress.show("lag " + "y" * 60)][0])
    assert row == "lag " + "y" * (COLUMNS - 6) + "…"


def test_what_is_said_stands_on_lines_of_its_own() -> None:
    def act(progress: Progress) -> None:
        progress.show("lag 3 messages")
        progress.say("a warning")
        progress.show("lag 2 messages")
        progress.clear()
        progress.say("ending")

    assert seen(act) == ["copydesk: a warning", "copydesk: ending", ""]


def test_a_streams_line_is_cut_and_taken_away_in_the_end(tmp_path: Path) -> None:
    def act(progress: Progress) -> None:
        status = StreamStatus(FolderSource(str(tmp_path), f"{tmp_path}/store"), str(tmp_path), progress, None)
        with status.shown():
            progress.show(status.line(Lag(12_345, 67.8, "messages")))
            progress.say("reconciled")
            progress.show(status.line(Lag(0, 0.0, "messages")))

    assert seen(act) == ["copydesk: reconciled", ""]
