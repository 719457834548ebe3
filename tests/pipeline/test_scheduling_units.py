"""The README's units for cron, systemd and Airflow: each is in its own form, and its command is one of ours."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

from pipeline.command_line import parser
from tests.pipeline.test_readme import README

INSTALLED = "/opt/copydesk/.venv/bin/copydesk"


def blocks(kind: str) -> list[str]:
    found = re.findall(rf"```{kind}\n(.*?)```", README, flags=re.DOTALL)
    assert found, f"the README has no {kind} block"
    return found


def check(command: str) -> str:
    """Whether our own command line takes it; gives the name of the command."""
    program, *arguments = shlex.split(command)
    assert program == INSTALLED
    return str(parser().parse_args(arguments).command)


FIELD = r"(\*|[0-9]+)(/[0-9]+)?"
MOST = (59, 23, 31, 12, 7)


def test_cron() -> None:
    [table] = blocks("cron")
    ran = []
    for line in table.splitlines():
        *fields, command = line.split(None, 5)
        for field, most in zip(fields, MOST, strict=True):
            assert re.fullmatch(FIELD, field)
            assert field == "*" or int(field) <= most
        assert "%" not in command, "cron reads a per cent sign as the end of the line"
        ran.append(check(command.removesuffix(" > /dev/null")))
    assert ran == ["run", "compact", "vacuum"]


def test_systemd(tmp_path: Path) -> None:
    service, timer = blocks("ini")
    [command] = re.findall(r"^ExecStart=(.*)$", service, flags=re.MULTILINE)
    assert check(command) == "run"
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not here")
    # verify wants the program to be there.
    (tmp_path / "copydesk.service").write_text(service.replace(INSTALLED, sys.executable))
    (tmp_path / "copydesk.timer").write_text(timer)

    def verified() -> subprocess.CompletedProcess[str]:
        units = [str(tmp_path / f"copydesk.{kind}") for kind in ("service", "timer")]
        return subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)

    done = verified()
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "copydesk.timer").write_text(timer.replace("hourly", "at noon-ish"))
    assert "noon-ish" in verified().stderr, "the check sees nothing"


class Operator:
    """Stands for Airflow's, which is not installed: takes what it takes, and notes it."""

    made: ClassVar[list[dict[str, Any]]] = []

    def __init__(self, *, task_id: str, bash_command: str, retries: int = 0, retry_delay: Any = None) -> None:
        self.made.append({"id": task_id, "command": bash_command, "retries": retries, "delay": retry_delay})

    def __rshift__(self, other: Operator) -> Operator:
        return other


class Dag:
    """As `Operator`."""

    def __init__(self, name: str, **given: Any) -> None:
        assert name
        assert set(given) == {"schedule", "start_date", "catchup", "max_active_runs"}

    def __enter__(self) -> Dag:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_airflow(monkeypatch: pytest.MonkeyPatch) -> None:
    [source] = blocks("py")
    for name, member in (
        ("airflow.sdk", ("DAG", Dag)),
        ("airflow.providers.standard.operators.bash", ("BashOperator", Operator)),
    ):
        for at in range(1, len(name.split(".")) + 1):
            part = ".".join(name.split(".")[:at])
            monkeypatch.setitem(sys.modules, part, sys.modules.get(part) or ModuleType(part))
        setattr(sys.modules[name], *member)
    Operator.made.clear()
    exec(compile(source, "copydesk_dag.py", "exec"), {"__name__": "copydesk_dag"})
    assert [check(one["command"]) for one in Operator.made] == ["run", "export"]
