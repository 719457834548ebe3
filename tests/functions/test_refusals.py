"""Refused rows: cut payloads with the digest of the whole, and messages that can do no harm."""

from __future__ import annotations

import hashlib

from schemas.tables import REJECTED
from transforms.functions.refusals import REFUSED, Refusals


def test_rows() -> None:
    refusals = Refusals(payload_bytes=4)
    refusals.add("a.jsonl", 7, "id", "read", "bad_record", "bad\x1b[31m\n\u202eline", b"0123456789")
    refusals.add("a.jsonl", -1, None, "read", "too_large", "m" * 5000, b"0123", digest="ab")
    refusals.add("a.jsonl", 0, None, "read", "no_text", "none", None)
    batch = refusals.take()
    batch.validate(full=True)
    assert batch.schema.equals(REFUSED)
    assert [*REFUSED.names, "run_id", "schema_version"] == REJECTED.names
    first, second, third = batch.to_pylist()
    assert first["message"] == "bad\\u001b[31m\\u000a\\u202eline"
    assert (first["payload"], first["payload_sha256"]) == (b"0123", hashlib.sha256(b"0123456789").hexdigest())
    assert (second["payload_sha256"], len(second["message"])) == ("ab", 600)
    assert (third["payload"], third["payload_sha256"]) == (None, None)
    assert (len(refusals), refusals.batch().num_rows) == (0, 0)
