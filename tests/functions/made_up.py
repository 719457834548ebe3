"""Made-up articles, their sketches in memory, and the plain flow over them: what several tests of matching share."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.earlier_matches import connected_matches, new_rows, standing_pairs, withdrawn_rows
from schemas import relations
from schemas.settings import Settings
from schemas.tables import CLEANED, MATCH, SCHEMA_VERSION
from transforms.functions.catalogue import Catalogue, changes, read_catalogue
from transforms.functions.joining import BAND_POSTING, PAIR, POSTING, join_postings, star_buckets
from transforms.functions.labelling import Collapsed, RelatedRun, collapse, complete, relate_run
from transforms.functions.matching import (
    WEIGHED,
    anchor_postings_of,
    band_postings_of,
    completeness_of,
    count_stretch,
    weigh,
)
from transforms.functions.rewrites import find_rewrites
from transforms.functions.rewriting import TermTables, count_terms
from transforms.functions.signing import sign_batch
from transforms.functions.sketch_files import SketchFiles
from transforms.functions.stretches import Changed, DaysTables, handles_in, standing_by_stretch

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
    return SketchFiles(list(tables), lambda path, columns: tables[path].select(list(columns)))


def tables_of(sketches: SketchFiles, catalogue: Catalogue, settings: Settings = DEFAULTS) -> DaysTables:
    """The tables of days, each counted when asked for."""
    window, stands = settings.match.window_days, catalogue.stands
    standing = standing_by_stretch(catalogue.handles[stands], catalogue.day[stands], window)
    texts = settings.match.outlet_texts
    return DaysTables(lambda stretch: count_stretch(sketches, handles_in(standing, stretch), texts), window)


def gathered(parts: Iterable[npt.NDArray[np.void]], kind: np.dtype) -> npt.NDArray[np.void]:
    return np.concatenate([np.empty(0, kind), *parts])


def weighed_pairs(
    sketches: SketchFiles, catalogue: Catalogue, tables: DaysTables, changed: Changed, settings: Settings
) -> npt.NDArray[np.void]:
    """What the jobs 3 to 5 of `pipeline.build` weigh and a run decides by, without Beam."""
    if not sketches.paths:
        return np.empty(0, WEIGHED)
    match, numbers = settings.match, range(len(sketches.paths))
    out = catalogue.handles[~catalogue.stands | ~changed.concerns(catalogue.day)]

    def decided(pairs: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
        return pairs[catalogue.decided_anew(pairs, changed)]

    bands = gathered((band_postings_of(sketches, number, out, match) for number in numbers), BAND_POSTING)
    alike = weigh(sketches, star_buckets(bands), tables, match)
    through = collapse(catalogue, alike, match.collapse_jaccard)
    out = np.union1d(out, through.handles)
    anchors = gathered((anchor_postings_of(sketches, number, out) for number in numbers), POSTING)
    pairs, _, _ = join_postings(anchors, window_days=match.window_days, cap=match.max_anchor_postings)
    fewer = np.minimum(*(sketches.gather_lengths(pairs[side], "anchors") for side in ("left", "right")))
    pairs = pairs[(pairs["shared"] >= match.min_shared_anchors) & (pairs["shared"] >= match.min_shared_share * fewer)]
    weighed = np.concatenate([alike, weigh(sketches, decided(pairs), tables, match)])
    more = complete(weighed, through, settings)
    reworded = rewrites(sketches, catalogue, through, tables, changed, settings)
    return decided(np.concatenate([reworded, weighed, weigh(sketches, decided(more), tables, match)]))


def rewrites(
    sketches: SketchFiles,
    catalogue: Catalogue,
    through: Collapsed,
    tables: DaysTables,
    changed: Changed,
    settings: Settings,
) -> npt.NDArray[np.void]:
    """What job 5 finds told in other words."""
    window = settings.match.window_days
    standing = standing_by_stretch(catalogue.handles[catalogue.stands], catalogue.day[catalogue.stands], window)
    out = np.union1d(catalogue.handles[~catalogue.stands | ~changed.concerns(catalogue.day)], through.handles)
    terms = TermTables(lambda stretch: count_terms(sketches, handles_in(standing, stretch)))

    def proposing(stretch: int) -> npt.NDArray[np.uint64]:
        return np.setdiff1d(handles_in(standing, stretch), out)

    found = [
        find_rewrites(
            sketches, (stretch, 0, 1), proposing, through, terms, tables, changed, settings.match, settings.rewrite
        )[0]
        for stretch in np.unique(standing["stretch"]).tolist()
    ]
    return gathered(found, WEIGHED)


class HeldMatches:
    """The matches of runs before, a table a run, as `connected_matches` reads a store; what it found of them last."""

    def __init__(self) -> None:
        self.tables: list[pa.Table] = []
        self.found = MATCH.empty_table()

    def files(self, _table: str) -> list[int]:
        return list(range(len(self.tables)))

    def read_file(self, number: int, names: list[str], _table: str) -> pa.Table:
        return self.tables[number].select(names)

    def read(self, _table: str) -> pa.Table:
        return pa.concat_tables([MATCH.empty_table(), *self.tables])

    def add(self, rows: pa.Table) -> None:
        count = rows.num_rows
        rows = rows.append_column(MATCH.field("run_id"), pa.repeat("", count))
        rows = rows.append_column(
            MATCH.field("schema_version"), pa.repeat(pa.scalar(SCHEMA_VERSION, pa.int32()), count)
        )
        self.tables.append(rows.select(MATCH.names).cast(MATCH))


def plain_run(
    files: Sequence[Sequence[Article]],
    settings: Settings = DEFAULTS,
    *,
    first_new: int = 0,
    earlier: HeldMatches | None = None,
) -> tuple[Catalogue, RelatedRun, SketchFiles]:
    """Signs, matches and relates articles given as sketch files, after runs that left `earlier`."""
    sketches = sketch_files(files, settings)
    catalogue = read_catalogue(sketches, first_new)
    window = settings.match.window_days
    changed = Changed(None, window) if earlier is None else changes(catalogue, window)
    tables = tables_of(sketches, catalogue, settings)
    weighed = weighed_pairs(sketches, catalogue, tables, changed, settings)
    if earlier is not None:
        earlier.found = connected_matches(earlier, catalogue, weighed, changed, first_new, settings.match)
        weighed = np.concatenate([weighed, standing_pairs(catalogue, earlier.found, changed)])
    seeds = catalogue.seeds(changed, first_new)

    def completeness(handles: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        return completeness_of(sketches, handles, tables, settings.match)

    def weigh_now(asked: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
        return weigh(sketches, asked, tables, settings.match)

    return catalogue, relate_run(catalogue, weighed, seeds, completeness, weigh_now, settings), sketches


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


def in_runs(*batches: list[Article]) -> dict[str, Label]:
    """The labels after runs that each know the sketches and matches of those before."""
    labels: dict[str, Label] = {}
    held = HeldMatches()
    for number in range(len(batches)):
        earlier = held if number else None
        catalogue, related, _ = plain_run(batches[: number + 1], first_new=number << 24, earlier=earlier)
        for at in np.flatnonzero(related.touched & catalogue.counted).tolist():
            one = catalogue.ids[at].as_py()
            labels[one] = Label("kept", one, None, one)
        labels |= labels_by_id(catalogue, related)
        rows = related.matches
        if number:
            changed, match = changes(catalogue, DEFAULTS.match.window_days), DEFAULTS.match
            withdrawn = withdrawn_rows(catalogue, held.found, rows, changed, match)
            rows = pa.concat_tables([new_rows(rows, held.found, match), withdrawn])
        held.add(rows)
    return settled(labels)


def settled(labels: dict[str, Label]) -> dict[str, Label]:
    """Without the articles that stand for themselves, as one without a label does."""
    return {one: label for one, label in labels.items() if label != Label("kept", one, None, one)}


def pairs_array(pairs: Iterable[tuple[int, int]]) -> npt.NDArray[np.void]:
    """PAIR rows of one shared key each."""
    return np.array([(left, right, 1) for left, right in pairs], PAIR)
