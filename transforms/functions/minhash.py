"""MinHash signatures, anchors and text digests of packed word hashes.

The signature is bit for bit that of `datasketch.MinHash(num_perm=128, seed=1, scheme="affine32")` whose `hashfunc`
gives the upper 32 bits of a shingle hash. The anchors are a scaled MinHash (FracMinHash: Irber et al. 2022).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np
import numpy.typing as npt

from schemas.tables import MINHASH_PERMUTATIONS
from transforms.functions.shingling import Offsets, ShingleHashes, WordHashes, shingle_at

if TYPE_CHECKING:
    from datasketch import MinHash

Signature = npt.NDArray[np.uint32]
DATASKETCH_SCHEME = "affine32"
DATASKETCH_SEED = 1
EMPTY = np.uint32(0xFFFFFFFF)


@dataclass(frozen=True)
class Sketches:
    """Fingerprints of n texts.

    Attributes:
        minhash: uint32[n, 128].
        anchors: uint64[total], ascending for each text; `anchor_offsets`: int64[n + 1].
        shingles: int32[n], distinct word 5-shingles.
        digests: uint8[n, 16], of the word hashes in order.
    """

    minhash: Signature
    anchors: ShingleHashes
    anchor_offsets: Offsets
    shingles: npt.NDArray[np.int32]
    digests: npt.NDArray[np.uint8]


@functools.cache
def permutations() -> tuple[Signature, Signature]:
    """Multipliers and addends of the 128 permutations, as datasketch draws them: two uint32[128]."""
    # Drawn here in its own way, and tested to be equal, as importing datasketch costs every worker half a second.
    drawn = np.random.RandomState(DATASKETCH_SEED)
    odd = drawn.randint(0, 1 << 31, MINHASH_PERMUTATIONS, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return odd, drawn.randint(0, 1 << 32, MINHASH_PERMUTATIONS, dtype=np.uint32)


def rebuild_minhash(value: bytes) -> MinHash:
    """The `datasketch.MinHash` of a stored `minhash` value (512 bytes), ready for a `MinHashLSH`.

    Raises:
        ValueError: the value hasn't 512 bytes.
    """
    if len(value) != 4 * MINHASH_PERMUTATIONS:
        raise ValueError(f"a minhash of {len(value)} bytes; expected {4 * MINHASH_PERMUTATIONS}, the column as stored")
    from datasketch import MinHash

    return MinHash(hashvalues=np.frombuffer(value, "<u4"), seed=DATASKETCH_SEED, scheme=DATASKETCH_SCHEME)


@numba.njit(nogil=True, cache=True)
def _fmix32(value: np.uint32) -> np.uint32:
    """MurmurHash3's finalizer (Appleby), as datasketch mixes before it permutes."""
    value = np.uint32(value ^ (value >> np.uint32(16)))
    value = np.uint32(value * np.uint32(0x85EBCA6B))
    value = np.uint32(value ^ (value >> np.uint32(13)))
    value = np.uint32(value * np.uint32(0xC2B2AE35))
    return np.uint32(value ^ (value >> np.uint32(16)))


@numba.njit(nogil=True, cache=True)
def _permute(row: Signature, mixed: Signature, multiply: Signature, add: Signature) -> None:
    # One permutation at a time over all shingles: the minimum stays in a register, which is twice as fast as
    # one shingle at a time over all permutations.
    for place in range(row.shape[0]):
        factor = multiply[place]
        addend = add[place]
        smallest = EMPTY
        for at in range(mixed.shape[0]):
            smallest = min(smallest, np.uint32(np.uint32(factor * mixed[at]) + addend))
        row[place] = smallest


@numba.njit(nogil=True, cache=True)
def _sketch(
    words: WordHashes,
    offsets: Offsets,
    size: int,
    ceiling: np.uint64,
    min_anchors: int,
    multiply: Signature,
    add: Signature,
    signatures: Signature,
    shingles: npt.NDArray[np.int32],
    digests: npt.NDArray[np.uint64],
    anchors: ShingleHashes,
    anchor_offsets: Offsets,
    room: int,
) -> int:
    slots = 1
    while slots < 2 * room:
        slots *= 2
    table = np.zeros(slots, np.uint64)
    owner = np.full(slots, -1, np.int32)
    found = np.empty(room, np.uint64)
    mixed = np.empty(room, np.uint32)
    used = 0
    for document in range(len(offsets) - 1):
        start = offsets[document]
        end = offsets[document + 1]
        count = max(1, end - start - size + 1) if end > start else 0
        mask = np.uint64(1)
        while mask < np.uint64(2 * count):
            mask *= np.uint64(2)
        mask -= np.uint64(1)
        kept = 0
        low = np.uint64(0x243F6A8885A308D3)
        high = np.uint64(0x13198A2E03707344)
        for at in range(start, end):
            low = (low ^ np.uint64(words[at])) * np.uint64(0x9E3779B97F4A7C15)
            low ^= low >> np.uint64(29)
            high = (high + np.uint64(words[at])) * np.uint64(0xD6E8FEB86659FD93)
            high ^= high >> np.uint64(32)
        digests[document, 0] = low
        digests[document, 1] = high
        for at in range(count):
            value = shingle_at(words, start + at, min(size, end - start))
            slot = value & mask
            while owner[slot] == document and table[slot] != value:
                slot = (slot + np.uint64(1)) & mask
            if owner[slot] == document:
                continue
            owner[slot] = document
            table[slot] = value
            found[kept] = value
            mixed[kept] = _fmix32(np.uint32(value >> np.uint64(32)))
            kept += 1
        _permute(signatures[document], mixed[:kept], multiply, add)
        shingles[document] = kept
        anchor_offsets[document] = used
        first = used
        for at in range(kept):
            if found[at] < ceiling:
                anchors[used] = found[at]
                used += 1
        if used - first < min_anchors and used - first < kept:
            smallest = np.sort(found[:kept])
            used = first
            for at in range(min(min_anchors, kept)):
                anchors[used] = smallest[at]
                used += 1
        else:
            anchors[first:used].sort()
    anchor_offsets[len(offsets) - 1] = used
    return used


def sketch_words(words: WordHashes, offsets: Offsets, *, size: int, scale: int, min_anchors: int) -> Sketches:
    """Sketches of n texts given as packed word hashes.

    Args:
        words: uint32[total]; offsets: int64[n + 1].
        size: words a shingle.
        scale: an anchor is a shingle hash below 2^64 / scale.
        min_anchors: a text with fewer anchors gets its smallest shingle hashes, up to this many.
    """
    n = len(offsets) - 1
    lengths = np.diff(offsets)
    room = max(1, int(lengths.max())) if n else 1
    multiply, add = permutations()
    signatures = np.full((n, MINHASH_PERMUTATIONS), EMPTY, np.uint32)
    shingles = np.zeros(n, np.int32)
    digests = np.zeros((n, 2), np.uint64)
    anchors = np.empty(int(lengths.sum()) + min_anchors * n + 1, np.uint64)
    anchor_offsets = np.zeros(n + 1, np.int64)
    ceiling = np.uint64((2**64 - 1) // scale)
    used = _sketch(
        words, offsets, size, ceiling, min_anchors, multiply, add, signatures, shingles, digests, anchors,
        anchor_offsets, room,
    )  # fmt: skip
    return Sketches(signatures, anchors[:used].copy(), anchor_offsets, shingles, digests.view(np.uint8).reshape(n, 16))
