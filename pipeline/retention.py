"""Sketches cut short: what only pairs near in time need is dropped of articles that no pair is decided of any more.

A sketch keeps its article's id, day, ranks and the digest of its text, so that repeats and exact copies are known for
ever. Its words, terms, anchors and MinHash go once its stretch of time lies further back than is wanted. Pairs are
decided by the stretch of their earlier article and the two beside it; so those of the first whole stretch stay what
they are too, and what ranks articles up to there, how many rare shingles they have, is counted for the last time and
kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import UsageError
from pipeline.store import Store
from schemas.settings import MatchSettings, stored_settings
from schemas.tables import MINHASH_BYTES, SKETCH
from transforms.functions.catalogue import read_catalogue
from transforms.functions.joining import ROW_BITS
from transforms.functions.matching import completeness_of, count_stretch
from transforms.functions.rarity import NO_DAY
from transforms.functions.sketch_files import SketchFiles
from transforms.functions.stretches import DaysTables, handles_in, standing_by_stretch
from transforms.match_articles import read_sketches

CUT = ("words", "terms", "anchors")


@dataclass(frozen=True)
class Retention:
    """What is to be cut.

    Attributes:
        whole_from: the first day (since 1970) of which sketches stay whole; the first of a stretch.
        settled: article_id and completeness of articles that get one now.
        files: the sketch files that change.
    """

    whole_from: int
    settled: pa.Table
    files: frozenset[str]

    def cut(self, sketches: pa.Table) -> pa.Table:
        """SKETCH rows as they are kept from now on."""
        at = pc.index_in(sketches.column("article_id"), self.settled.column("article_id"))
        completeness = pc.coalesce(sketches.column("completeness"), self.settled.column("completeness").take(at))
        old = pc.fill_null(pc.less(sketches.column("day"), self.whole_from), False)
        nothing = {name: pa.scalar([], SKETCH.field(name).type) for name in CUT}
        nothing["minhash"] = pa.scalar(bytes(MINHASH_BYTES), SKETCH.field("minhash").type)
        columns = {name: pc.if_else(old, value, sketches.column(name)) for name, value in nothing.items()}
        columns["completeness"] = completeness
        return pa.table([columns.get(name, sketches.column(name)) for name in SKETCH.names], schema=SKETCH)


def plan_retention(store: Store, retain_days: int, today: int) -> Retention | None:
    """What a store need not keep if only the last so many days, from the newest article back, are matched with.

    Args:
        today: days since 1970: an article that is dated later, by mistake, must not cut all others short.

    Returns:
        None where nothing more can be cut.

    Raises:
        UsageError: fewer days than a stretch are asked for, or the store has labels that are not final.
    """
    settings = stored_settings(store.runs[-1]["settings"]).match
    window = max(1, settings.window_days)
    if retain_days < window:
        raise UsageError(
            f"--retain-days {retain_days}: expected at least the {window} days of match.window_days, within which "
            "articles are compared"
        )
    if store.undecided:
        raise UsageError(
            f"{store.path} has labels that are not final, and what they rest on can't be cut yet; first run "
            f"`copydesk reconcile --store {store.path}`"
        )
    sketches = SketchFiles(store.files("sketches"), read_sketches)
    days = [sketches.days(number) for number in range(len(sketches.paths))]
    newest = max((int(one[one <= today].max(initial=NO_DAY)) for one in days), default=NO_DAY)
    if newest == NO_DAY:
        return None
    whole_from = (newest - retain_days) // window * window
    if whole_from <= (store.whole_from if store.whole_from is not None else NO_DAY):
        return None
    files = [
        path for path, one in zip(sketches.paths, days, strict=True)
        if ((one != NO_DAY) & (one < whole_from + window)).any()
    ]  # fmt: skip
    if not files:
        return None
    return Retention(whole_from, _settled(sketches, whole_from + window, settings), frozenset(files))


def _settled(sketches: SketchFiles, before: int, settings: MatchSettings) -> pa.Table:
    """article_id and completeness of articles of earlier days that have none stored."""
    catalogue = read_catalogue(sketches, len(sketches.paths) << ROW_BITS)
    stands, window, texts = catalogue.stands, settings.window_days, settings.outlet_texts
    standing = standing_by_stretch(catalogue.handles[stands], catalogue.day[stands], window)
    tables = DaysTables(lambda stretch: count_stretch(sketches, handles_in(standing, stretch), texts), window)
    due = np.flatnonzero((catalogue.day != NO_DAY) & (catalogue.day < before) & ~catalogue.settled)
    found = completeness_of(sketches, catalogue.handles[due], tables, settings)
    return pa.table({"article_id": catalogue.ids.take(pa.array(due)), "completeness": pa.array(found, pa.int32())})
