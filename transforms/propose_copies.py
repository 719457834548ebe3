"""Blocks of postings to pairs of articles that share anchors, by keyed state that forgets what the window has passed.

The state of a key (a partition of the anchors) is a log of packed blocks. Reading it whole for each batch would cost
more with every batch, so each worker keeps the index made of it in memory, and knows by a version in the state whether
that is still what the log holds: after a restart, or where the key went to another worker and came back, it is not, and
the log is read once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import apache_beam as beam
from apache_beam.coders import BytesCoder, VarIntCoder
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import BagStateSpec, ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.utils.shared import Shared
from apache_beam.utils.timestamp import Timestamp

from schemas.settings import MatchSettings
from transforms.functions.posting_index import Block, PostingIndex, next_version, pack_parts, unpack_parts
from transforms.hold_batches import HELD
from transforms.stage_batches import GraphTask

EXPIRED = "expired"
CAPPED = "postings_capped"


class ProposeCopies(beam.PTransform):
    """(partition, packed block) to (name of the batch, answer): which earlier articles each of its articles meets.

    An answer is `pack_parts` of the block's header, with the `blocks` that its SHARED rows refer to, and these rows.
    """

    def __init__(self, task: GraphTask, settings: MatchSettings) -> None:
        super().__init__()
        self.task, self.settings = task, settings

    def expand(self, blocks: beam.PCollection[tuple[bytes, bytes]]) -> beam.PCollection[tuple[bytes, bytes]]:
        propose = beam.ParDo(_Propose(self.task, self.settings)).with_output_types(tuple[bytes, bytes])
        return blocks | "Propose" >> propose


class _Warm:
    """The indices of a worker process, by partition; its threads share them, as a key is never on two at once."""

    def __init__(self) -> None:
        self.of: dict[bytes, PostingIndex] = {}


class _Propose(beam.DoFn):
    BLOCKS = BagStateSpec("blocks", BytesCoder())
    VERSION = ReadModifyWriteStateSpec("version", BytesCoder())
    DUE = ReadModifyWriteStateSpec("due", VarIntCoder())
    EXPIRE = TimerSpec("expire", TimeDomain.WATERMARK)

    def __init__(self, task: GraphTask, settings: MatchSettings) -> None:
        self.task, self.settings = task, settings
        self.shared = Shared()

    def setup(self) -> None:
        self.warm: _Warm = self.shared.acquire(_Warm)
        self.capped = beam.metrics.Metrics.counter("stream", CAPPED)
        self.rebuilt = beam.metrics.Metrics.counter("stream", "indices_rebuilt")
        self.expired = beam.metrics.Metrics.counter("stream", "blocks_expired")

    def process(
        self,
        element: tuple[bytes, bytes],
        blocks: Any = beam.DoFn.StateParam(BLOCKS),
        version: Any = beam.DoFn.StateParam(VERSION),
        due: Any = beam.DoFn.StateParam(DUE),
        expire: Any = beam.DoFn.TimerParam(EXPIRE),
    ) -> Iterable[tuple[bytes, bytes]]:
        key, packed = element
        block = Block.unpack(packed)
        index = self._index(key, version.read() or b"", blocks)
        shared, names, capped = index.add(block, packed)
        blocks.add(packed)
        version.write(index.version)
        self.capped.inc(capped)
        ends = self.task.due_ms(block.header["step"])
        pending = due.read()
        if pending is None or ends < pending:
            # A timer that is set again is moved: only ever to an earlier time.
            due.write(ends)
            expire.set(Timestamp(micros=ends * 1000))
        if HELD not in block.header:
            yield block.header["name"].encode(), pack_parts(block.header | {"blocks": names}, shared.tobytes())

    def _index(self, key: bytes, version: bytes, blocks: Any) -> PostingIndex:
        index = self.warm.of.get(key)
        if index is None or index.version != version:
            index = PostingIndex(self.settings.window_days, self.settings.max_anchor_postings)
            if version:
                self.rebuilt.inc()
                for packed in blocks.read():
                    index.add(Block.unpack(packed), packed)
            # A log has no order of its own: what it holds is the state's version, whatever order it came in.
            index.version = version
            self.warm.of[key] = index
        return index

    @on_timer(EXPIRE)
    def on_expire(
        self,
        blocks: Any = beam.DoFn.StateParam(BLOCKS),
        version: Any = beam.DoFn.StateParam(VERSION),
        due: Any = beam.DoFn.StateParam(DUE),
        expire: Any = beam.DoFn.TimerParam(EXPIRE),
    ) -> None:
        """Drops the blocks of the steps that the watermark has passed by the window."""
        now = due.read()
        held = list(blocks.read())
        ends = [self.task.due_ms(unpack_parts(packed)[0]["step"]) for packed in held]
        blocks.clear()
        for packed, end in zip(held, ends, strict=True):
            if end > now:
                blocks.add(packed)
        left = [end for end in ends if end > now]
        self.expired.inc(len(held) - len(left))
        version.write(next_version(version.read(), EXPIRED.encode() + now.to_bytes(8, "little", signed=True)))
        if left:
            due.write(min(left))
            expire.set(Timestamp(micros=min(left) * 1000))
        else:
            due.clear()
