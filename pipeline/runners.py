"""The runners a build can go to, each named explicitly."""

from __future__ import annotations

import logging

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner


def local_pipeline(workers: int) -> beam.Pipeline:
    """A pipeline on Beam's local runner: in this process with one worker, else in so many processes."""
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    mode = "in_memory" if workers == 1 else "multi_processing"
    options = PipelineOptions(flags=[], direct_num_workers=workers, direct_running_mode=mode)
    return beam.Pipeline(runner=FnApiRunner(), options=options)
