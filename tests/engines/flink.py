"""A standalone Flink cluster of processes on this machine: one JobManager, several TaskManagers, each killable.

    with flink_cluster(folder, task_managers=2) as cluster:
        ...  # --runner flink --flink-master cluster.address, with cluster.process_environment()
        cluster.kill(1)

By hand, for as long as the terminal is open (Ctrl-C ends it):

    .venv/bin/python -m tests.engines.flink [--task-managers 2] [--slots 1] [--folder DIR]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.engines.places import BOOT, FLINK_LIB, free_ports, worker_environment

JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
SECONDS_TO_START = 90.0
OPENED = (
    "lang", "net", "io", "nio", "lang.reflect", "text", "time", "util", "util.concurrent", "util.concurrent.atomic",
    "util.concurrent.locks",
)  # fmt: skip
"""Packages of java.base that Flink's serialisers look into, which Java 17 shuts."""

LOGGING = """\
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = C
appender.console.name = C
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss,SSS} %-5p %c{1} - %m%n
"""


@dataclass
class FlinkCluster:
    """A running cluster.

    Attributes:
        address: of the JobManager's REST service, as `--flink-master` takes it.
        folder: logs (`jm.log`, `tm1.log`, ...), checkpoints and savepoints.
        processes: by name (`jm`, `tm1`, ...); each leads a session of its own, so that its workers can be ended too.
    """

    address: str
    folder: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def process_environment(self, **more: str) -> str:
        """The `environment_config` of environment_type PROCESS: how a TaskManager of this machine starts a worker."""
        return json.dumps({"command": str(BOOT), "env": {**worker_environment(), **more}})

    def rest(self, path: str, method: str = "GET", body: Mapping[str, Any] | None = None) -> Any:
        """The JobManager's answer, from its REST service."""
        request = urllib.request.Request(
            f"http://{self.address}{path}", method=method, headers={"Content-Type": "application/json"},
            data=None if body is None else json.dumps(body).encode(),
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"{}")

    def jobs(self) -> dict[str, str]:
        """The state of every job, by its id: RUNNING, RESTARTING, FINISHED, ..."""
        return {job["jid"]: job["state"] for job in self.rest("/jobs/overview")["jobs"]}

    def task_managers(self) -> int:
        """How many are registered."""
        return int(self.rest("/overview")["taskmanagers"])

    def told(self, job: str) -> str:
        """What each step of a job has taken and given, and its watermarks: for whoever waits for it in vain."""
        lines = [f"job {job}: {self.jobs().get(job)}"]
        for step in self.rest(f"/jobs/{job}")["vertices"]:
            asked = f"/jobs/{job}/vertices/{step['id']}"
            counts = self.rest(f"{asked}/subtasks/metrics?get=numRecordsIn,numRecordsOut")
            taken = ", ".join(f"{one['id']} {one['sum']:.0f} (least {one['min']:.0f})" for one in counts)
            marks = " ".join(f"{one['id']}={one['value']}" for one in self.rest(f"{asked}/watermarks"))
            lines.append(f"{step['status']} {step['name'][:80]}: {taken}; {marks}")
        return "\n".join(lines)

    def cancel(self, job: str) -> None:
        """Cancels a job; that a client of Beam gives up does not reach the cluster."""
        self.rest(f"/jobs/{job}?mode=cancel", "PATCH")

    def start(self, name: str) -> None:
        """Starts a process of the cluster: `jm`, `tm1`, `tm2`, ..."""
        java = [
            "java", "-Xmx768m", "-XX:+UseSerialGC", "-XX:MaxDirectMemorySize=384m",
            f"-Dlog4j.configurationFile=file:{self.folder}/conf/log4j.properties",
            "--add-exports=java.base/sun.net.util=ALL-UNNAMED", "--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED",
            "--add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
            "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
            *(f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in OPENED),
            "-cp", f"{FLINK_LIB}/*",
        ]  # fmt: skip
        wanted = [JOB_MANAGER] if name == "jm" else [TASK_MANAGER]
        own = [] if name == "jm" else ["-D", f"taskmanager.resource-id={name}"]
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(
                [*java, *wanted, "--configDir", str(self.folder / "conf"), *own], cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def kill(self, task_manager: int) -> None:
        """Kills a TaskManager and its workers with -9: without it they would be orphans that start again for ever."""
        self._end(f"tm{task_manager}", signal.SIGKILL)

    def stop(self) -> None:
        """Ends every process and waits until they are gone."""
        for name in sorted(self.processes, reverse=True):
            self._end(name, signal.SIGKILL)

    def _end(self, name: str, number: signal.Signals) -> None:
        process = self.processes.pop(name)
        for pid in _session(process.pid):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        process.wait()

    def wait_for(self, task_managers: int) -> None:
        """Waits until so many TaskManagers are registered.

        Raises:
            TimeoutError: they are not, in time.
        """
        until = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < until:
            try:
                if self.task_managers() >= task_managers:
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass
            time.sleep(0.25)
        raise TimeoutError(
            f"no {task_managers} TaskManagers in {SECONDS_TO_START:.0f} s; their logs are in {self.folder}"
        )


def _session(leader: int) -> list[int]:
    """Processes of a session, its leader last: a parent's children could not be found once it has gone."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                rest = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(rest[3]) == leader:
                found.append(int(entry.name))
    return sorted(found, key=lambda pid: (pid == leader, pid))


@contextmanager
def flink_cluster(folder: Path, task_managers: int = 2, slots: int = 1, **settings: str) -> Iterator[FlinkCluster]:
    """A cluster that is up, for as long as the block lasts.

    Args:
        folder: its configuration, logs and checkpoints.
        slots: of each TaskManager.
        settings: more of Flink's configuration, with `__` for `.` and `_` for `-`.
    """
    folder = folder.resolve()
    rest, rpc = free_ports(2)
    for name in ("conf", "tmp", "checkpoints", "savepoints"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    chosen = _configuration(folder, rest, rpc, slots)
    chosen |= {key.replace("__", ".").replace("_", "-"): value for key, value in settings.items()}
    (folder / "conf" / "flink-conf.yaml").write_text("".join(f"{key}: {value}\n" for key, value in chosen.items()))
    (folder / "conf" / "log4j.properties").write_text(LOGGING)
    cluster = FlinkCluster(f"127.0.0.1:{rest}", folder)
    try:
        for name in ("jm", *(f"tm{number}" for number in range(1, task_managers + 1))):
            cluster.start(name)
        cluster.wait_for(task_managers)
        yield cluster
    finally:
        cluster.stop()


def _configuration(folder: Path, rest: int, rpc: int, slots: int) -> dict[str, str]:
    """Flink's settings; without Flink's own scripts a TaskManager wants every share of its memory said."""
    return {
        "jobmanager.rpc.address": "127.0.0.1", "jobmanager.rpc.port": str(rpc), "jobmanager.bind-host": "127.0.0.1",
        "jobmanager.memory.process.size": "1400m",
        "rest.address": "127.0.0.1", "rest.bind-address": "127.0.0.1", "rest.port": str(rest),
        "taskmanager.host": "127.0.0.1", "taskmanager.bind-host": "127.0.0.1",
        "taskmanager.numberOfTaskSlots": str(slots), "taskmanager.cpu.cores": "1.0",
        "taskmanager.memory.task.heap.size": "512m", "taskmanager.memory.task.off-heap.size": "64m",
        "taskmanager.memory.framework.heap.size": "128m", "taskmanager.memory.framework.off-heap.size": "128m",
        "taskmanager.memory.managed.size": "128m",
        "taskmanager.memory.network.min": "128m", "taskmanager.memory.network.max": "128m",
        "taskmanager.memory.jvm-metaspace.size": "256m",
        "taskmanager.memory.jvm-overhead.min": "128m", "taskmanager.memory.jvm-overhead.max": "128m",
        "parallelism.default": "1", "cluster.evenly-spread-out-slots": "true",
        # A lost TaskManager is noticed within seconds, and its jobs begin again on what is left.
        "heartbeat.interval": "1000", "heartbeat.timeout": "5000", "heartbeat.rpc-failure-threshold": "2",
        "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": "4",
        "restart-strategy.fixed-delay.delay": "1 s",
        "state.backend.type": "hashmap", "state.checkpoints.dir": f"file://{folder}/checkpoints",
        "state.savepoints.dir": f"file://{folder}/savepoints",
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "web.upload.dir": f"{folder}/tmp", "io.tmp.dirs": f"{folder}/tmp", "classloader.resolve-order": "child-first",
    }  # fmt: skip


def main() -> None:
    """Starts a cluster and shows how to use it, until interrupted."""
    given = argparse.ArgumentParser(description=main.__doc__)
    given.add_argument("--task-managers", type=int, default=2)
    given.add_argument("--slots", type=int, default=1)
    given.add_argument("--folder", type=Path, default=None)
    chosen = given.parse_args()
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="flink-"))
    with flink_cluster(folder, chosen.task_managers, chosen.slots) as cluster:
        print(f"--flink-master {cluster.address} --runner-option environment_type=PROCESS")
        print(f"--runner-option 'environment_config={cluster.process_environment()}'", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
