"""The runners a build can go to, each named explicitly."""

from __future__ import annotations

import logging
import os

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.environments import EmbeddedPythonEnvironment, SubprocessSDKEnvironment

from pipeline import worker_process


def local_pipeline(workers: int) -> beam.Pipeline:
    """A pipeline on Beam's local runner: in this process with one worker, else in so many processes."""
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    if workers == 1:
        environment = EmbeddedPythonEnvironment.default()
    else:
        environment = SubprocessSDKEnvironment.from_command_string(worker_process.command(os.getpid()))
    # The mode `multi_processing` would put Beam's own command in the place of ours; `in_memory` leaves it as it is.
    options = PipelineOptions(flags=[], direct_num_workers=workers, direct_running_mode="in_memory")
    return beam.Pipeline(runner=FnApiRunner(default_environment=environment), options=options)
