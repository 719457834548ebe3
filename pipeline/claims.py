"""One writer at a time where there are no file locks: objects that are written only if nobody else wrote them first.

An object store has neither locks nor renames. What it may have is a conditional write (S3: `If-None-Match: *` and
`If-Match: ETAG`), and both that a store needs can be had from it: a claim, which its holder renews and others may take
over when it has not been renewed for a while; and a manifest that one of two writers makes, and the other does not,
whatever became of the claim.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from apache_beam.io.filesystems import FileSystems

from pipeline.errors import BusyStoreError, UsageError
from transforms import s3_files, staging

CLAIM_SECONDS = 120.0
"""A claim that was not renewed for so long is a dead writer's. A pause of the machine or the network of that length is
rare; if it comes, the manifest's conditional write still refuses the second of two."""
RENEWALS = 6
"""How often a claim is renewed in that time."""
REFUSED = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


@dataclass(frozen=True)
class Version:
    """An object as it was read: its content, its ETag, and how long ago it was written by the store's own clock."""

    content: bytes
    etag: str
    age_seconds: float


class S3Objects:
    """Conditional writes on S3 and stores that speak its protocol, with the endpoint and keys that Beam uses."""

    def __init__(self) -> None:
        self.client = s3_files.client_for(s3_files.filesystem()._options).client
        # What an answer says is a ClientError; no answer at all is one of botocore's others.
        no_answer: type[Exception] = importlib.import_module("botocore.exceptions").BotoCoreError
        self.failures = (self.client.exceptions.ClientError, no_answer)

    def create(self, path: str, content: bytes) -> str | None:
        """Writes an object that isn't there; gives its ETag, or None where it is there already."""
        return self._put(path, content, IfNoneMatch="*")

    def replace(self, path: str, content: bytes, etag: str) -> str | None:
        """Writes an object that is as it was read; gives the new ETag, or None where somebody has changed it."""
        return self._put(path, content, IfMatch=etag)

    def read(self, path: str) -> Version | None:
        """The object as it is now; None where there is none."""
        try:
            answer = self.client.get_object(**_bucket_and_key(path))
        except self.failures as error:
            if _code(error) in ("NoSuchKey", "404"):
                return None
            raise OSError(f"{path} can't be read: {error}") from error
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        age = (now - answer["LastModified"]).total_seconds()
        return Version(answer["Body"].read(), answer["ETag"], age)

    def _put(self, path: str, content: bytes, **condition: str) -> str | None:
        try:
            return str(self.client.put_object(**_bucket_and_key(path), Body=content, **condition)["ETag"])
        except self.failures as error:
            if _code(error) in REFUSED:
                return None
            raise OSError(f"{path} can't be written: {error}") from error


def _code(error: Exception) -> str | None:
    """What an answer of S3 says went wrong; None where there was no answer."""
    response: dict[str, dict[str, str]] = getattr(error, "response", {})
    return response.get("Error", {}).get("Code")


def _bucket_and_key(path: str) -> dict[str, str]:
    bucket, _, key = path.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


def objects_of(path: str) -> S3Objects | None:
    """Conditional writes on the filesystem of a path; None where there are none.

    Raises:
        UsageError: the path is of a filesystem that isn't installed.
    """
    scheme = path.partition("://")[0]
    if scheme == "s3" and importlib.util.find_spec("boto3") is None:
        raise UsageError(f"{path} is on S3, and boto3 is not installed; `pip install 'copydesk[s3]'`")
    try:
        FileSystems.get_filesystem(path)
    except ValueError as error:
        raise UsageError(
            f"{path}: Beam knows no filesystem {scheme}://; expected a local path or s3://, gs://, hdfs:// ..., with "
            "Beam's extra for it installed (docs/clusters.md)"
        ) from error
    return S3Objects() if scheme == "s3" else None


@contextmanager
def claimed(store: str, lock: str, *, sole_writer: bool) -> Iterator[None]:
    """Holds a store that is on no local filesystem for one writer.

    Args:
        lock: the path of the claim's object.
        sole_writer: the user's word that nobody else writes the store.

    Raises:
        UsageError: the filesystem can't promise one writer, and the user doesn't either. BusyStoreError: another holds
            it.
    """
    objects = objects_of(store)
    if sole_writer:
        yield
        return
    if objects is None:
        raise UsageError(
            f"{store}: of two runs that commit to it at once one would be lost, because Beam has no conditional write "
            "on this filesystem. Give --sole-writer if nothing else writes the store (one scheduler, no two runs at "
            "once), or keep it on S3 or a local filesystem"
        )
    claim = _Claim(objects, store, lock)
    claim.take()
    try:
        yield
    finally:
        claim.release()


class _Claim:
    """A claim on a store, renewed by a thread for as long as it is held."""

    def __init__(self, objects: S3Objects, store: str, lock: str) -> None:
        self.objects, self.store, self.lock = objects, store, lock
        self.holder: dict[str, Any] = {"host": socket.gethostname(), "pid": os.getpid(), "token": uuid.uuid4().hex}
        self.etag = ""
        self.released = threading.Event()
        self.renewing = threading.Thread(target=self._renew, daemon=True)

    def take(self) -> None:
        """Takes the claim.

        Raises:
            BusyStoreError: it is another's. UsageError: the store takes no notice of conditions.
        """
        content = self._content()
        etag = self.objects.create(self.lock, content) or self._take_over(content)
        if self.objects.create(self.lock, content) is not None:
            raise UsageError(
                f"{self.store}: this S3 server overwrites an object although asked not to (`If-None-Match: *`), so of "
                "two runs that commit at once one would be lost. Give --sole-writer if nothing else writes the store, "
                "or use a newer server"
            )
        self.etag = etag
        self.renewing.start()

    def _take_over(self, content: bytes) -> str:
        found = self.objects.read(self.lock)
        if found is None:
            raise BusyStoreError(f"another run has just written {self.store}; run again")
        holder = json.loads(found.content)
        if holder["token"] == self.holder["token"]:
            return found.etag  # the answer to the first attempt was lost, and boto3 asked again
        if not holder.get("released") and not _is_dead(holder) and found.age_seconds < CLAIM_SECONDS:
            raise BusyStoreError(
                f"another run is writing {self.store} (on {holder['host']}, process {holder['pid']}, last heard of "
                f"{found.age_seconds:.0f} s ago); wait until it has ended, then run again. If it was killed, its claim "
                f"ends {CLAIM_SECONDS:.0f} s after it was last heard of"
            )
        etag = self.objects.replace(self.lock, content, found.etag)
        if etag is None:
            raise BusyStoreError(
                f"another run has just begun to write {self.store}; wait until it has ended, then run again"
            )
        return etag

    def _renew(self) -> None:
        while not self.released.wait(CLAIM_SECONDS / RENEWALS):
            try:
                renewed = self.objects.replace(self.lock, self._content(), self.etag)
                found = self.objects.read(self.lock) if renewed is None else None
            except OSError:
                continue  # tried again; if it lasts, the claim ends, and the manifest is still written by one only
            if renewed is None:
                if found is None or json.loads(found.content)["token"] != self.holder["token"]:
                    return
                renewed = found.etag
            self.etag = renewed

    def release(self) -> None:
        """Gives the claim back; if that fails it ends by itself."""
        self.released.set()
        self.renewing.join()
        try:
            self.objects.replace(self.lock, self._content(released=True), self.etag)
        except OSError:
            return

    def _content(self, **more: Any) -> bytes:
        return json.dumps({**self.holder, "renewed_at": time.time(), **more}, sort_keys=True).encode()


def _is_dead(holder: dict[str, Any]) -> bool:
    """Whether the holder is a process of this host that is no more."""
    if holder["host"] != socket.gethostname():
        return False
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def create(path: str, value: Any) -> bool:
    """Writes a JSON object unless it is there; says whether it did.

    Where the filesystem has no conditional write it looks first, which two writers at once can both do.
    """
    objects = objects_of(path)
    if objects is not None:
        content = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1).encode()
        if objects.create(path, content) is not None:
            return True
        # Refused may be the second attempt, after an answer to the first was lost: then it is there as given.
        found = objects.read(path)
        return found is not None and found.content == content
    if staging.exists(path):
        return False
    staging.write_json(path, value)
    return True
