"""The runners a build can go to: each is named, checked before anything is made, and given Beam's own options."""

from __future__ import annotations

import atexit
import json
import logging
import os
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.flink_runner import FlinkJarJobServer, FlinkRunner
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.portability.job_server import JobServer, SubprocessJobServer
from apache_beam.runners.portability.prism_runner import PrismJobServer, PrismRunner
from apache_beam.runners.runner import PipelineRunner, create_runner
from apache_beam.transforms.environments import EmbeddedPythonEnvironment, SubprocessSDKEnvironment

from pipeline import ends_with_parent, worker_process
from pipeline.errors import UsageError
from pipeline.plain_pipeline import run_plainly

LOCAL, PRISM, FLINK, DATAFLOW, SPARK = "local", "prism", "flink", "dataflow", "spark"
RUNNERS = (LOCAL, PRISM, FLINK, DATAFLOW, SPARK)
INSIDE = "[local]"
"""Flink's master that is no cluster: Flink inside its job server, for as long as the run."""
THIS_HOST = ("localhost", "127.0.0.1", "[::1]")
REST_SECONDS = 10.0


@dataclass(frozen=True)
class RunnerChoice:
    """Which runner the jobs of a run go to.

    Attributes:
        name: one of RUNNERS.
        flink_master: HOST:PORT of a JobManager's REST service, or `[local]`.
        prism_location: the Prism binary.
        flink_job_server_jar: Beam's job server for the Flink version of the master.
        options: further options of Beam's, each KEY=VALUE, or KEY alone for a switch.
    """

    name: str = LOCAL
    flink_master: str = INSIDE
    prism_location: str | None = None
    flink_job_server_jar: str | None = None
    options: tuple[str, ...] = ()

    def flags(self) -> list[str]:
        """`options` as Beam's command line has them.

        Raises:
            UsageError: one has no name, or names what a flag of this program says.
        """
        own = {"runner": "--runner", "flink_master": "--flink-master", "prism_location": "--prism-location"}
        own |= {"flink_job_server_jar": "--flink-job-server-jar", "direct_num_workers": "--workers"}
        for option in self.options:
            key = option.partition("=")[0].strip("-")
            if not key.replace("_", "").isalnum():
                raise UsageError(
                    f"--runner-option {option!r} has no name; expected KEY=VALUE with one of Beam's pipeline options, "
                    "for example --runner-option parallelism=4"
                )
            if key in own:
                raise UsageError(f"--runner-option {option} is given by {own[key]}; use that flag")
        return [f"--{option.lstrip('-')}" for option in self.options]


HERE = RunnerChoice()
"""The local runner."""


class Jobs:
    """Runs pipelines on a chosen runner, one after another; what they share (a job server) is started once.

    Args:
        workers: processes of the local runner; on Flink the parallelism.

    Raises:
        UsageError: the runner is unknown, or lacks what it needs.
    """

    def __init__(self, choice: RunnerChoice, workers: int = 1) -> None:
        self.choice, self.workers = choice, workers
        self.flags = choice.flags()
        if choice.name not in _MAKERS:
            raise UsageError(f"--runner {choice.name} is unknown; expected one of {', '.join(RUNNERS)}")
        # What the program itself opens, before any pipeline, goes by the same options: an object store's endpoint.
        FileSystems.set_options(self._options())
        self.runner: PipelineRunner = _MAKERS[choice.name](choice, self._options(), workers)

    def _options(self, **more: Any) -> PipelineOptions:
        return PipelineOptions(self.flags, **more)

    def run(self, name: str, build: Callable[[beam.Pipeline], None], *, few: bool = False) -> None:
        """Builds a pipeline, runs it and waits for its end.

        Args:
            name: shown by the runner's own pages, where it has any.
            few: so little flows that the local runner, where it has one worker, would cost more than the work; the
                same steps are then done without it (`plain_pipeline`).

        Raises:
            Exception: whatever the runner says of a job that failed.
        """
        if few and self.choice.name == LOCAL and self.workers == 1:
            run_plainly(build)
            return
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
        more: dict[str, Any] = {"job_name": name}
        if self.choice.name == LOCAL:
            more |= _local_options(self.workers)
        elif self.choice.name == FLINK:
            more |= _flink_options(self.choice, self._options().get_all_options(drop_default=True), self.workers)
        elif self.choice.name == PRISM:
            more |= {"prism_location": _binary(self.choice)}
        pipeline = beam.Pipeline(runner=self.runner, options=self._options(**more))
        build(pipeline)
        if self.choice.name == FLINK:
            _cancel_on_flink(self.choice, name)
        try:
            pipeline.run().wait_until_finish()
        finally:
            # Interrupted, or without its job server: Beam's own cancel() does not reach the cluster.
            if self.choice.name == FLINK:
                _cancel_on_flink(self.choice, name)


def local_pipeline(workers: int) -> beam.Pipeline:
    """A pipeline on Beam's local runner."""
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    options = PipelineOptions([], **_local_options(workers))
    return beam.Pipeline(runner=_local(HERE, options, workers), options=options)


def _local_options(workers: int) -> dict[str, Any]:
    # `multi_processing` would put Beam's own command in the place of ours; `in_memory` leaves it as it is.
    return {"direct_num_workers": workers, "direct_running_mode": "in_memory"}


WORKERS_A_CPU = 8
"""More than one waits for files while another works; beyond that each takes a third of a gigabyte for nothing, and a
thousand took a machine of two CPUs down."""


def _local(_choice: RunnerChoice, _options: PipelineOptions, workers: int) -> PipelineRunner:
    """Beam's local runner: in this process with one worker, else in so many processes."""
    most = WORKERS_A_CPU * len(os.sched_getaffinity(0))
    if workers > most:
        raise UsageError(f"--workers {workers}: expected at most {most}, {WORKERS_A_CPU} for each CPU of this machine")
    if workers == 1:
        environment = EmbeddedPythonEnvironment.default()
    else:
        environment = SubprocessSDKEnvironment.from_command_string(worker_process.command(os.getpid()))
    return FnApiRunner(default_environment=environment)


class _KeptServer(JobServer):
    """A job server that is started by the first job and serves all; it ends with this process, however that ends."""

    def __init__(self, server: SubprocessJobServer) -> None:
        self.server = server
        self.stub: Any = None
        command_of = server.subprocess_cmd_and_endpoint

        def watched() -> tuple[list[str], str]:
            command, endpoint = command_of()
            return [sys.executable, ends_with_parent.__file__, str(os.getpid()), *map(str, command)], endpoint

        server.subprocess_cmd_and_endpoint = watched

    def start(self) -> Any:
        if self.stub is None:
            self.stub = self.server.start()
            atexit.register(self.stop)
        return self.stub

    def stop(self) -> None:
        if self.stub is not None:
            self.stub = None
            self.server.stop()


class _Prism(PrismRunner):
    kept: _KeptServer | None = None

    def default_job_server(self, options: PipelineOptions) -> JobServer:
        self.kept = self.kept or _KeptServer(PrismJobServer(options))
        return self.kept


def _binary(choice: RunnerChoice) -> str:
    """The path of the Prism binary.

    Raises:
        UsageError: there is none. Beam's own runner would download one.
    """
    remedy = (
        f"build it with `go install github.com/apache/beam/sdks/v2/go/cmd/prism@v{beam.__version__}` (or "
        "`.ci/setup_engines prism` in a checkout) and give --prism-location PATH"
    )
    if choice.prism_location is None:
        found = shutil.which("prism")
        if found is None:
            raise UsageError(f"--runner prism: there is no `prism` on the PATH; {remedy}")
        return found
    if not os.access(choice.prism_location, os.X_OK) or os.path.isdir(choice.prism_location):
        raise UsageError(f"--prism-location {choice.prism_location} is no program; expected Prism's binary: {remedy}")
    return choice.prism_location


def _prism(choice: RunnerChoice, _options: PipelineOptions, _workers: int) -> PipelineRunner:
    _binary(choice)
    return _Prism()


class _Flink(FlinkRunner):
    kept: _KeptServer | None = None

    def default_job_server(self, options: PipelineOptions) -> JobServer:
        given = options.view_as(beam.options.pipeline_options.FlinkRunnerOptions)
        given.flink_master = self.add_http_scheme(given.flink_master)
        self.kept = self.kept or _KeptServer(FlinkJarJobServer(options))
        return self.kept


def _flink(choice: RunnerChoice, options: PipelineOptions, workers: int) -> PipelineRunner:
    jar = choice.flink_job_server_jar
    remedy = (
        "expected the job server jar of the master's Flink version: `mvn dependency:copy -Dartifact=org.apache.beam:"
        f"beam-runners-flink-1.19-job-server:{beam.__version__} -DoutputDirectory=jars` (or, in a checkout, "
        "`.ci/setup_engines flink`), then --flink-job-server-jar PATH"
    )
    if jar is None:
        raise UsageError(f"--runner flink needs --flink-job-server-jar; {remedy}")
    if not os.path.isfile(jar):
        raise UsageError(f"--flink-job-server-jar {jar} is no file; {remedy}")
    java = os.path.join(os.environ.get("JAVA_HOME", ""), "bin", "java") if os.environ.get("JAVA_HOME") else "java"
    if shutil.which(java) is None:
        raise UsageError("--runner flink starts Beam's job server with Java, and there is no `java`; install Java 17")
    _flink_options(choice, options.get_all_options(drop_default=True), workers)
    if choice.flink_master != INSIDE:
        try:
            _rest(choice, "/overview")
        except (OSError, ValueError) as error:
            raise UsageError(
                f"--flink-master {choice.flink_master} does not answer ({error}); expected HOST:PORT of a JobManager's "
                f"REST service (8081 if it was not set), or {INSIDE} for Flink inside this run"
            ) from error
    return _Flink()


def _flink_options(choice: RunnerChoice, given: dict[str, Any], workers: int) -> dict[str, Any]:
    """What Flink is told beside the options given.

    Raises:
        UsageError: the cluster is on other hosts, and it isn't said how they start workers.
    """
    more: dict[str, Any] = {"flink_master": choice.flink_master, "flink_job_server_jar": choice.flink_job_server_jar}
    if "parallelism" not in given:
        more["parallelism"] = workers
    if "environment_type" not in given:
        host = choice.flink_master.removeprefix("http://").removeprefix("https://").rpartition(":")[0]
        if choice.flink_master != INSIDE and host not in THIS_HOST:
            raise UsageError(
                f"--flink-master {choice.flink_master} is another host, and its TaskManagers need to know how to start "
                "workers; expected --runner-option environment_type=PROCESS (or EXTERNAL, DOCKER) with --runner-option "
                "environment_config=..., see docs/clusters.md"
            )
        more["environment_type"] = "LOOPBACK"
    return more


def _rest(choice: RunnerChoice, path: str, method: str = "GET") -> Any:
    master = choice.flink_master if "://" in choice.flink_master else f"http://{choice.flink_master}"
    request = urllib.request.Request(master.rstrip("/") + path, method=method)
    with urllib.request.urlopen(request, timeout=REST_SECONDS) as answer:
        return json.loads(answer.read() or b"{}")


def _cancel_on_flink(choice: RunnerChoice, name: str) -> None:
    """Cancels what a cluster still does of a job of this name: its client was interrupted or killed."""
    if choice.flink_master == INSIDE:
        return
    try:
        for job in _rest(choice, "/jobs/overview")["jobs"]:
            if job["name"] == name and job["state"] not in FLINK_ENDED:
                _rest(choice, f"/jobs/{job['jid']}?mode=cancel", "PATCH")
    except OSError as error:
        logging.getLogger(__name__).error("the cluster's job %s could not be cancelled: %s", name, error)


FLINK_ENDED = ("FINISHED", "CANCELED", "FAILED")


def _by_beam(choice: RunnerChoice, options: PipelineOptions, _workers: int) -> PipelineRunner:
    """A runner that takes all it needs from Beam's options.

    Raises:
        UsageError: Beam's extra for it isn't installed, or it says what it lacks.
    """
    extra = {DATAFLOW: "pip install 'apache-beam[gcp]'", SPARK: "pip install apache-beam"}[choice.name]
    try:
        runner = create_runner({DATAFLOW: "DataflowRunner", SPARK: "SparkRunner"}[choice.name])
    except (ImportError, ValueError) as error:
        raise UsageError(f"--runner {choice.name} can't be loaded: {error}; `{extra}=={beam.__version__}`") from error
    if choice.name == DATAFLOW:
        missing = [key for key in ("project", "region", "temp_location") if key not in options.get_all_options(True)]
        if missing:
            raise UsageError(
                f"--runner dataflow needs {', '.join(missing)}; give --runner-option {missing[0]}=... (Beam's "
                "own names, see docs/clusters.md)"
            )
    return runner


_MAKERS: dict[str, Callable[[RunnerChoice, PipelineOptions, int], PipelineRunner]] = {
    LOCAL: _local, PRISM: _prism, FLINK: _flink, DATAFLOW: _by_beam, SPARK: _by_beam,
}  # fmt: skip
