"""Settings of all tests, and a local S3."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

# The first call of a kernel compiles it, which takes seconds where numba's caches are cold.
settings.register_profile("copydesk", deadline=None)
settings.load_profile("copydesk")

BUCKET = "newsroom"


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A client of boto3's for an S3 server in this process (moto)."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line a request
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    given = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    yield boto3.client("s3")
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})
    running.stop()


@pytest.fixture
def bucket(s3: Any, request: pytest.FixtureRequest) -> str:
    """An empty place on the server: s3://BUCKET/NAME-OF-TEST."""
    if BUCKET not in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=BUCKET)
    return f"s3://{BUCKET}/{request.node.name}"
