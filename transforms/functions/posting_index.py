"""An index of postings that grows: which earlier articles share anchors with those of a new block.

The durable form is a log of packed blocks, one for each batch of articles and partition of the anchors; the warm form
is a hash table in memory, built from the log and then kept up block by block. Whatever reads the log in the same order
has the same index.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from transforms.functions.joining import PAIR, ROW_BITS, Handles, file_and_row, handles_of, sum_pairs
from transforms.functions.rarity import NO_DAY
from transforms.functions.shingling import Offsets, ShingleHashes

BLOCK_ARTICLE = np.dtype([("day", np.int32), ("digest", np.uint64)])
BLOCK_POSTING = np.dtype([("key", np.uint64), ("row", np.uint16)])
SHARED = np.dtype([("row", np.uint32), ("block", np.uint32), ("other", np.uint32), ("shared", np.int32)])
"""Row of a new article, an earlier block (an index into the answer's `blocks`), its row there, anchors in common."""

MOST_ROWS = 1 << 16
VERSION_BYTES = 16
_FIRST_SLOTS = 1 << 12


@dataclass(frozen=True)
class Block:
    """The postings of a batch of n articles in one partition of the anchors.

    Attributes:
        header: what the batch says of itself, JSON-ready; `name`, and `step`, the stretch of event time it is held by.
        articles: BLOCK_ARTICLE[n].
        postings: BLOCK_POSTING, ascending by row.
    """

    header: dict[str, Any]
    articles: npt.NDArray[np.void]
    postings: npt.NDArray[np.void]

    def pack(self) -> bytes:
        """The block as bytes."""
        sizes = {"articles": len(self.articles), "postings": len(self.postings)}
        return pack_parts(self.header | {"sizes": sizes}, self.articles.tobytes(), self.postings.tobytes())

    @classmethod
    def unpack(cls, packed: bytes) -> Block:
        """What `pack` packed."""
        header, rest = unpack_parts(packed)
        sizes = header.pop("sizes")
        articles = np.frombuffer(rest, BLOCK_ARTICLE, sizes["articles"])
        return cls(header, articles, np.frombuffer(rest, BLOCK_POSTING, sizes["postings"], articles.nbytes))


def pack_parts(header: dict[str, Any], *parts: bytes) -> bytes:
    """A JSON header with bytes behind it, as bytes."""
    written = json.dumps(header, sort_keys=True).encode()
    return b"".join((len(written).to_bytes(4, "little"), written, *parts))


def unpack_parts(packed: bytes) -> tuple[dict[str, Any], memoryview]:
    """The header and all that stands behind it."""
    end = 4 + int.from_bytes(packed[:4], "little")
    return json.loads(packed[4:end]), memoryview(packed)[end:]


def blocks_of(
    header: dict[str, Any],
    days: npt.NDArray[np.int32],
    digests: npt.NDArray[np.uint64],
    anchors: ShingleHashes,
    offsets: Offsets,
    partitions: int,
) -> Iterator[Block]:
    """The blocks of a batch, one for each partition of the anchors, empty ones too: who gathers counts them.

    Args:
        days: int32[n]; digests: uint64[n], of the texts.
        anchors: packed, with int64 offsets[n + 1].

    Raises:
        ValueError: more articles than a row's 16 bits can number.
    """
    if len(days) > MOST_ROWS:
        raise ValueError(f"a batch of {len(days)} articles; expected at most {MOST_ROWS}: use smaller batches")
    articles = np.empty(len(days), BLOCK_ARTICLE)
    articles["day"], articles["digest"] = days, digests
    postings = np.empty(len(anchors), BLOCK_POSTING)
    postings["key"] = anchors
    postings["row"] = np.repeat(np.arange(len(days)), np.diff(offsets))
    # The anchors are the smallest hashes: their upper bits say nothing.
    mixed = (anchors ^ (anchors >> np.uint64(31))) * np.uint64(0xD6E8FEB86659FD93)
    partition = (mixed >> np.uint64(40)) % np.uint64(partitions)
    for number in range(partitions):
        yield Block(header, articles, postings[partition == number])


@numba.njit(nogil=True, cache=True)
def _slot(key: np.uint64, mask: np.uint64) -> np.uint64:
    value = key * np.uint64(0x9E3779B97F4A7C15)
    return (value ^ (value >> np.uint64(32))) & mask


@numba.njit(nogil=True, cache=True)
def _rehash(keys: ShingleHashes, heads: npt.NDArray[np.int32], to_keys: ShingleHashes, to_heads: Any) -> None:
    mask = np.uint64(len(to_keys) - 1)
    for at in range(len(keys)):
        if heads[at] >= 0:
            slot = _slot(keys[at], mask)
            while to_heads[slot] >= 0:
                slot = (slot + np.uint64(1)) & mask
            to_keys[slot], to_heads[slot] = keys[at], heads[at]


@numba.njit(nogil=True, cache=True)
def _join(
    new_keys: ShingleHashes,
    new_rows: npt.NDArray[np.int64],
    new_days: npt.NDArray[np.int32],
    base: np.uint64,
    keys: ShingleHashes,
    heads: npt.NDArray[np.int32],
    ahead: npt.NDArray[np.int32],
    handles: Handles,
    days: npt.NDArray[np.int32],
    used: int,
    window: int,
    cap: int,
) -> tuple[Handles, Handles, int, int, int]:
    """Pairs each new posting with those held, then holds it. Returns handles, used postings, filled slots, capped."""
    mask = np.uint64(len(keys) - 1)
    own = np.empty(1024, np.uint64)
    other = np.empty(1024, np.uint64)
    made = capped = filled = 0
    for at in range(len(new_keys)):
        key, day = new_keys[at], new_days[new_rows[at]]
        handle = base | np.uint64(new_rows[at])
        slot = _slot(key, mask)
        while heads[slot] >= 0 and keys[slot] != key:
            slot = (slot + np.uint64(1)) & mask
        near = 0
        place = heads[slot]
        while place >= 0:
            near += day == NO_DAY or days[place] == NO_DAY or abs(np.int64(days[place]) - day) <= window
            place = ahead[place]
        if near > cap:
            capped += 1
            continue
        while made + near > len(own):
            grown = np.empty(2 * len(own), np.uint64)
            grown[:made] = own[:made]
            own = grown
            grown = np.empty(2 * len(other), np.uint64)
            grown[:made] = other[:made]
            other = grown
        place = heads[slot]
        while place >= 0:
            if day == NO_DAY or days[place] == NO_DAY or abs(np.int64(days[place]) - day) <= window:
                own[made], other[made] = handle, handles[place]
                made += 1
            place = ahead[place]
        filled += heads[slot] < 0
        keys[slot] = key
        ahead[used] = heads[slot]
        handles[used], days[used] = handle, day
        heads[slot] = used
        used += 1
    return own[:made], other[:made], used, filled, capped


@dataclass
class PostingIndex:
    """The warm form of a log of blocks.

    Attributes:
        window_days: articles further apart are not paired.
        cap: a key that more articles within the window have proposes nothing, and holds no more.
        version: a digest of the blocks added, in order: equal versions hold the same.
    """

    window_days: int
    cap: int
    version: bytes = b""
    names: list[str] = field(default_factory=list)
    _first_of: dict[int, int] = field(default_factory=dict)
    _keys: ShingleHashes = field(default_factory=lambda: np.zeros(_FIRST_SLOTS, np.uint64))
    _heads: npt.NDArray[np.int32] = field(default_factory=lambda: np.full(_FIRST_SLOTS, -1, np.int32))
    _ahead: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(_FIRST_SLOTS, np.int32))
    _handles: Handles = field(default_factory=lambda: np.empty(_FIRST_SLOTS, np.uint64))
    _days: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(_FIRST_SLOTS, np.int32))
    _used: int = 0
    _filled: int = 0

    def add(self, block: Block, packed: bytes) -> tuple[npt.NDArray[np.void], list[str], int]:
        """Joins a block with all before it and holds it.

        Of articles of one text only the first holds postings; a later one is paired with it alone.

        Args:
            packed: the block as bytes, which the version rests on.

        Returns:
            SHARED[n]; the blocks it refers to, step and name of each as JSON; how many postings the cap kept back.
        """
        number = len(self.names)
        self.names.append(json.dumps({name: block.header[name] for name in ("step", "name")}))
        self.version = next_version(self.version, packed)
        rows = block.postings["row"].astype(np.int64)
        again, firsts = self._same_text(block, number)
        fresh = ~again[rows]
        self._make_room(int(fresh.sum()))
        own, other, self._used, filled, capped = _join(
            block.postings["key"][fresh], rows[fresh], np.ascontiguousarray(block.articles["day"]),
            np.uint64(number << ROW_BITS), self._keys, self._heads, self._ahead, self._handles, self._days, self._used,
            self.window_days, self.cap,
        )  # fmt: skip
        self._filled += filled
        pairs = np.empty(len(own) + int(again.sum()), PAIR)
        pairs["left"][: len(own)], pairs["right"][: len(own)], pairs["shared"] = other, own, 1
        copies = np.flatnonzero(again)
        pairs["left"][len(own) :], pairs["right"][len(own) :] = firsts[copies], handles_of(number, copies)
        pairs["shared"][len(own) :] = np.bincount(rows, minlength=len(again))[copies]
        pairs = sum_pairs(pairs[pairs["left"] != pairs["right"]])
        return (*self._answer(pairs), capped)

    def _same_text(self, block: Block, number: int) -> tuple[npt.NDArray[np.bool_], Handles]:
        """Which articles have the text of one held already, and that one's handle."""
        handles = handles_of(number, np.arange(len(block.articles)))
        firsts = np.array(
            [self._first_of.setdefault(digest, handle)
             for digest, handle in zip(block.articles["digest"].tolist(), handles.tolist(), strict=True)], np.uint64,
        )  # fmt: skip
        return firsts != handles, firsts

    def _make_room(self, more: int) -> None:
        if self._used + more > len(self._handles):
            room = max(2 * len(self._handles), self._used + more)
            for name in ("_ahead", "_handles", "_days"):
                grown = np.empty(room, getattr(self, name).dtype)
                grown[: self._used] = getattr(self, name)[: self._used]
                setattr(self, name, grown)
        slots = len(self._keys)
        while 2 * (self._filled + more) > slots:
            slots *= 2
        if slots > len(self._keys):
            keys, heads = np.zeros(slots, np.uint64), np.full(slots, -1, np.int32)
            _rehash(self._keys, self._heads, keys, heads)
            self._keys, self._heads = keys, heads

    def _answer(self, pairs: npt.NDArray[np.void]) -> tuple[npt.NDArray[np.void], list[str]]:
        numbers, rows = file_and_row(pairs["left"])
        used, at = np.unique(numbers, return_inverse=True)
        found = np.empty(len(pairs), SHARED)
        found["row"] = file_and_row(pairs["right"])[1]
        found["block"], found["other"], found["shared"] = at, rows, pairs["shared"]
        return found, [self.names[number] for number in used.tolist()]


def next_version(version: bytes, packed: bytes) -> bytes:
    """The version of an index that has a further block."""
    return blake2b(version + packed, digest_size=VERSION_BYTES).digest()


def sum_shared(
    answers: list[tuple[list[str], npt.NDArray[np.void]]],
) -> tuple[list[str], npt.NDArray[np.void]]:
    """The answers of all partitions to one batch as one: names of blocks, and SHARED with what is shared added up."""
    names = sorted({name for blocks, _ in answers for name in blocks})
    place = {name: at for at, name in enumerate(names)}
    pairs = np.empty(sum(len(shared) for _, shared in answers), PAIR)
    start = 0
    for blocks, shared in answers:
        part = pairs[start : start + len(shared)]
        at = np.array([place[name] for name in blocks], np.uint64)
        part["left"] = (at[shared["block"]] << np.uint64(ROW_BITS)) | shared["other"]
        part["right"], part["shared"] = shared["row"], shared["shared"]
        start += len(shared)
    pairs = sum_pairs(pairs)
    found = np.empty(len(pairs), SHARED)
    found["block"], found["other"] = file_and_row(pairs["left"])
    found["row"], found["shared"] = pairs["right"], pairs["shared"]
    return names, found
