"""Made-up articles, their sketches in memory, and the plain flow over them: what several tests of matching share."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas import relations
from schemas.settings import Settings
from schemas.tables import CLEANED
from transforms.functions.joining import BAND_POSTING, PAIR, POSTING, join_postings, star_buckets
from transforms.functions.labelling import (
    Catalogue,
    RelatedRun,
    collapse,
    complete,
    left_out,
    read_catalogue,
    relate_run,
    stored_pairs,
)
from transforms.functions.matching import (
    WEIGHED,
    anchor_postings_of,
    band_postings_of,
    count_rarity,
    weigh,
)
from transforms.functions.rarity import count_rare, table_slots
from transforms.functions.signing import sign_batch
from transforms.functions.sketch_files import SketchFiles

SYLLABLES = [onset + vowel for onset in "bdfgklmnprstvz" for vowel in "aeiou"]
DEFAULTS = Settings()
NAMES = relations.ARTICLE_RELATIONS
MICROSECONDS_A_DAY = 86_400_000_000


def words_of(seed: int, count: int) -> list[str]:
    """So many made-up words of three syllables, the same for a seed in every run."""
    drawn = np.random.Generator(np.random.PCG64(seed)).integers(0, len(SYLLABLES), (count, 3))
    return ["".join(SYLLABLES[place] for place in row) for row in drawn.tolist()]


def text_of(seed: int, count: int) -> str:
    return " ".join(words_of(seed, count))


def article_id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]


@dataclasses.dataclass(frozen=True)
class Article:
    """An article after cleaning, as the tests tell it: `day` since 1970 (None: undated)."""

    name: str
    text: str
    day: int | None = 20_000
    source: str | None = None
    agency: str | None = None
    removed_share: float = 0.0

    @property
    def id(self) -> str:
        return article_id(self.name)


def cleaned_batch(articles: Sequence[Article]) -> pa.RecordBatch:
    """CLEANED rows of the articles."""
    rows = [
        {
            "article_id": one.id, "source_uri": "made-up", "position": place, "source": one.source, "text": one.text,
            "published_at": None if one.day is None else one.day * MICROSECONDS_A_DAY, "agency": one.agency,
            "removed": [],
        }
        for place, one in enumerate(articles)
    ]  # fmt: skip
    return pa.RecordBatch.from_pylist(rows, schema=CLEANED)


def sketch_table(articles: Sequence[Article], settings: Settings = DEFAULTS) -> pa.Table:
    """SKETCH rows of the articles."""
    shares = np.array([one.removed_share for one in articles], np.float32)
    return pa.Table.from_batches([sign_batch(cleaned_batch(articles), shares, settings.sign)])


def sketch_files(files: Sequence[Sequence[Article]], settings: Settings = DEFAULTS) -> SketchFiles:
    """The articles as sketch files in memory."""
    tables = {str(number): sketch_table(articles, settings) for number, articles in enumerate(files)}
    return SketchFiles(list(tables), tables.__getitem__)


def rarity_of(sketches: SketchFiles, catalogue: Catalogue) -> npt.NDArray[np.uint8]:
    """The whole table of days."""
    words = sum(len(sketches.words(number)[0]) for number in range(len(sketches.paths)))
    slots = table_slots(words)
    return count_rarity(sketches, left_out(catalogue), 0, slots, slots)


def gathered(parts: Iterable[npt.NDArray[np.void]], kind: np.dtype) -> npt.NDArray[np.void]:
    return np.concatenate([np.empty(0, kind), *parts])


def weighed_pairs(
    sketches: SketchFiles,
    catalogue: Catalogue,
    rarity: npt.NDArray[np.uint8],
    first_new: int,
    stored: npt.NDArray[np.void],
    settings: Settings,
) -> npt.NDArray[np.void]:
    """What the jobs 3 to 5 of `pipeline.build` weigh, without Beam."""
    if not sketches.paths:
        return np.empty(0, WEIGHED)
    match, numbers, out = settings.match, range(len(sketches.paths)), left_out(catalogue)
    bands = gathered((band_postings_of(sketches, number, out, match) for number in numbers), BAND_POSTING)
    alike = weigh(sketches, star_buckets(bands, first_new=first_new), rarity, match)
    through = collapse(catalogue, np.concatenate([alike, stored]), match.collapse_jaccard)
    out = np.union1d(out, through.handles)
    anchors = gathered((anchor_postings_of(sketches, number, out) for number in numbers), POSTING)
    pairs, _, _ = join_postings(
        anchors, first_new=first_new, window_days=match.window_days, cap=match.max_anchor_postings
    )
    fewer = np.minimum(*(sketches.gather_lengths(pairs[side], "anchors") for side in ("left", "right")))
    pairs = pairs[(pairs["shared"] >= match.min_shared_anchors) & (pairs["shared"] >= match.min_shared_share * fewer)]
    weighed = np.concatenate([alike, weigh(sketches, pairs, rarity, match)])
    more = complete(weighed, stored, through, settings)
    return np.concatenate([weighed, weigh(sketches, more, rarity, match)])


def plain_run(
    files: Sequence[Sequence[Article]],
    settings: Settings = DEFAULTS,
    *,
    first_new: int = 0,
    matches: pa.Table | None = None,
) -> tuple[Catalogue, RelatedRun, SketchFiles]:
    """Signs, matches and relates articles given as sketch files; `matches` are those of earlier runs."""
    sketches = sketch_files(files, settings)
    catalogue = read_catalogue(sketches, first_new)
    rarity = rarity_of(sketches, catalogue)
    stored = np.empty(0, WEIGHED) if matches is None else stored_pairs(catalogue, matches)
    weighed = weighed_pairs(sketches, catalogue, rarity, first_new, stored, settings)

    def completeness(handles: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        return count_rare(*sketches.gather_words(handles), rarity, settings.match.rare_days)

    def weigh_now(asked: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
        return weigh(sketches, asked, rarity, settings.match)

    return catalogue, relate_run(catalogue, weighed, completeness, weigh_now, settings), sketches


@dataclasses.dataclass(frozen=True)
class Label:
    """A label by ids."""

    relation: str
    kept: str
    derived: str | None
    story: str


def labels_by_id(catalogue: Catalogue, related: RelatedRun) -> dict[str, Label]:
    """The labels of a run by article id."""
    ids = catalogue.ids.to_pylist()
    columns = (related.articles, related.relation, related.kept, related.derived_from, related.story)
    return {
        ids[one]: Label(NAMES[relation], ids[kept], ids[source] if source >= 0 else None, ids[story])
        for one, relation, kept, source, story in zip(*(column.tolist() for column in columns), strict=True)
    }


def pairs_array(pairs: Iterable[tuple[int, int]]) -> npt.NDArray[np.void]:
    """PAIR rows of one shared key each."""
    return np.array([(left, right, 1) for left, right in pairs], PAIR)
