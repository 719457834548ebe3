"""The sketches a run compares: those it made and those of earlier runs, one file after another, by handle."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.tables import MINHASH_PERMUTATIONS, SKETCH
from transforms.functions.joining import Handles, file_and_row, handles_of
from transforms.functions.minhash import Signature
from transforms.functions.rarity import NO_DAY
from transforms.functions.shingling import Offsets, ShingleHashes, WordHashes

IdRanks = npt.NDArray[np.uint64]
ReadTable = Callable[[str, Sequence[str]], pa.Table]


@numba.njit(nogil=True, cache=True)
def _copy_rows(
    values: WordHashes, starts: Offsets, ends: Offsets, rows: npt.NDArray[np.int64], packed: WordHashes
) -> None:
    for row in rows:
        packed[ends[row] : ends[row + 1]] = values[starts[row] : starts[row] + ends[row + 1] - ends[row]]


def packed_lists(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.generic], Offsets]:
    """The values of a list column, packed, and int64 offsets from 0; no null lists."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], column.type)
    offsets = array.offsets.to_numpy().astype(np.int64)
    values = array.values.to_numpy()[offsets[0] : offsets[-1]] if len(array) else array.values.to_numpy()[:0]
    return values, offsets - offsets[0] if len(offsets) else np.zeros(1, np.int64)


def packed_bytes(column: pa.ChunkedArray, width: int) -> npt.NDArray[np.uint8]:
    """A fixed-size binary column as uint8[n, width]."""
    if not len(column):
        return np.zeros((0, width), np.uint8)
    parts = [
        np.frombuffer(chunk.buffers()[1], np.uint8)[chunk.offset * width : (chunk.offset + len(chunk)) * width]
        for chunk in column.chunks
    ]
    return np.concatenate(parts).reshape(-1, width)


def id_ranks(ids: pa.ChunkedArray) -> IdRanks:
    """The first 16 hex digits of article ids as numbers: uint64[n]."""
    return np.array([int(one[:16], 16) for one in ids.to_pylist()], np.uint64)


def days_of(table: pa.Table) -> npt.NDArray[np.int32]:
    """int32[n] days since 1970, NO_DAY where unknown."""
    return table.column("day").fill_null(NO_DAY).to_numpy().astype(np.int32)


class SketchFile:
    """One file of sketches; what was read of it once stays in memory. Threads of a worker may share it.

    Attributes:
        path: where it is. It is never written again once it is there.
        read_table: reads columns of it (mapped where it can be).
    """

    def __init__(self, path: str, read_table: ReadTable) -> None:
        self.path, self.read_table = path, read_table
        self._columns: dict[str, pa.ChunkedArray] = {}
        self._id_ranks: IdRanks | None = None
        self._packed: dict[str, tuple[npt.NDArray[np.generic], Offsets]] = {}

    def table(self, columns: Sequence[str]) -> pa.Table:
        """Columns of the file."""
        held = dict(self._columns)  # another thread may drop what it holds packed
        missing = [name for name in columns if name not in held]
        if missing:
            table = self.read_table(self.path, missing)
            for name in missing:
                # A file of an older schema may lack what may be null.
                field = SKETCH.field(name)
                absent = field.nullable and name not in table.column_names
                column = pa.chunked_array([pa.nulls(table.num_rows, field.type)]) if absent else table.column(name)
                held[name] = self._columns[name] = column
        schema = pa.schema([SKETCH.field(name) for name in columns])
        return pa.table([held[name] for name in columns], schema=schema)

    def id_ranks(self) -> IdRanks:
        """uint64[n]: the first 16 hex digits of the ids."""
        if self._id_ranks is None:
            self._id_ranks = id_ranks(self.table(["article_id"]).column(0))
        return self._id_ranks

    def packed(self, column: str) -> tuple[npt.NDArray[np.generic], Offsets]:
        """The values of a list column, packed, and int64 offsets from 0."""
        found = self._packed.get(column)
        if found is None:
            found = self._packed.setdefault(column, packed_lists(self.table([column]).column(0)))
            self._columns.pop(column, None)  # held packed from here on: not twice
        return found


class SketchFiles:
    """A list of sketch files, opened when first needed.

    Attributes:
        paths: the files; a handle's file number is an index into them.
        read_table: reads columns of one (mapped where it can be).
        opened: files that are open already, by path; those opened from now on are added.
    """

    def __init__(
        self, paths: Sequence[str], read_table: ReadTable, opened: dict[str, SketchFile] | None = None
    ) -> None:
        self.paths, self.read_table = paths, read_table
        self.opened = {} if opened is None else opened

    def file(self, number: int) -> SketchFile:
        """A file by its number."""
        path = self.paths[number]
        return self.opened.setdefault(path, SketchFile(path, self.read_table))

    def table(self, number: int, columns: Sequence[str] = tuple(SKETCH.names)) -> pa.Table:
        """Columns of a file."""
        return self.file(number).table(columns)

    def days(self, number: int) -> npt.NDArray[np.int32]:
        return days_of(self.table(number, ["day"]))

    def digests(self, number: int) -> npt.NDArray[np.uint8]:
        return packed_bytes(self.table(number, ["text_digest"]).column(0), 16)

    def signatures(self, number: int) -> Signature:
        found = packed_bytes(self.table(number, ["minhash"]).column(0), 4 * MINHASH_PERMUTATIONS)
        return found.view("<u4").reshape(-1, MINHASH_PERMUTATIONS)

    def id_ranks(self, number: int) -> IdRanks:
        """uint64[n]: the first 16 hex digits of the ids, a rank that doesn't depend on arrival."""
        return self.file(number).id_ranks()

    def gather_id_ranks(self, handles: Handles) -> IdRanks:
        """The id ranks of the given articles: uint64[n]."""
        files, rows = file_and_row(handles)
        found = np.empty(len(handles), np.uint64)
        for number in np.unique(files).tolist():
            mine = files == number
            found[mine] = self.id_ranks(number)[rows[mine]]
        return found

    def anchors(self, number: int) -> tuple[ShingleHashes, Offsets]:
        values, offsets = self.file(number).packed("anchors")
        return values.astype(np.uint64, copy=False), offsets

    def words(self, number: int) -> tuple[WordHashes, Offsets]:
        values, offsets = self.file(number).packed("words")
        return values.astype(np.uint32, copy=False), offsets

    def handles(self, number: int) -> Handles:
        return handles_of(number, np.arange(self.table(number, ["day"]).num_rows))

    def gather_words(self, handles: Handles, column: str = "words") -> tuple[WordHashes, Offsets]:
        """The word hashes (or another list column of uint32) of the given articles, packed in their order."""
        files, rows = file_and_row(handles)
        lengths = np.zeros(len(handles), np.int64)
        starts = np.zeros(len(handles), np.int64)
        opened: dict[int, WordHashes] = {}
        for number in np.unique(files).tolist():
            values, offsets = self.file(number).packed(column)
            opened[number] = values.astype(np.uint32, copy=False)
            mine = files == number
            starts[mine] = offsets[rows[mine]]
            lengths[mine] = offsets[rows[mine] + 1] - offsets[rows[mine]]
        ends = np.r_[0, np.cumsum(lengths)]
        packed = np.empty(int(ends[-1]), np.uint32)
        for number, held in opened.items():
            _copy_rows(held, starts, ends, np.flatnonzero(files == number), packed)
        return packed, ends

    def gather_lengths(self, handles: Handles, column: str) -> Offsets:
        """The lengths of a list column for the given articles: int64[n]."""
        files, rows = file_and_row(handles)
        lengths = np.zeros(len(handles), np.int64)
        for number in np.unique(files).tolist():
            mine = files == number
            _, offsets = self.file(number).packed(column)
            lengths[mine] = offsets[rows[mine] + 1] - offsets[rows[mine]]
        return lengths

    def gather(self, handles: Handles, columns: Sequence[str]) -> pa.Table:
        """Rows of the given articles, in their order."""
        files, rows = file_and_row(handles)
        order = np.lexsort((rows, files))
        parts = []
        for number in np.unique(files).tolist():
            mine = order[files[order] == number]
            parts.append(self.table(number, columns).take(pa.array(rows[mine])))
        if not parts:
            return pa.schema([SKETCH.field(name) for name in columns]).empty_table()
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return pa.concat_tables(parts).take(pa.array(back))
