"""The matches of earlier runs: what they still decide, and which of their rows a run replaces."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.labels import newest
from pipeline.store import Store
from schemas.settings import MatchSettings
from schemas.tables import MATCH, SCHEMA_VERSION
from transforms.functions.catalogue import Catalogue
from transforms.functions.deciding import MOST_OF_A_BEGINNING, NONE, RELATION_CODES, beginnings, decide
from transforms.functions.evidence import EVIDENCE
from transforms.functions.labelling import evidence_of, stored_pairs
from transforms.functions.relating import Flags, Ints, bonds, holders, reached_from
from transforms.functions.stretches import Changed

WITHDRAWN = "no longer compared: what the two share stands in too many articles"


def earlier_matches(store: Store) -> pa.Table:
    """The newest row of each pair in a store, of this version's schema: MATCH."""
    return _newest_of_this_version(store.read("matches"))


def _newest_of_this_version(rows: pa.Table) -> pa.Table:
    rows = rows.filter(pc.equal(rows.column("schema_version"), SCHEMA_VERSION)).combine_chunks()
    return newest(rows, ["left_id", "right_id"])


def connected_matches(
    store: Store,
    catalogue: Catalogue,
    weighed: npt.NDArray[np.void],
    changed: Changed,
    first_new: int,
    settings: MatchSettings,
) -> pa.Table:
    """Those of `earlier_matches` by which a run can change labels: MATCH.

    Of all rows a few columns are read; of files without a row that bonds connect with what the run relates anew,
    which are those of most days of a long archive, nothing else.

    Args:
        weighed: WEIGHED, the pairs of a run's new articles.
        changed: what tells which articles are related anew. first_new: handles from here on are, too.
    """
    if changed.stretches is None:
        return earlier_matches(store)
    paths = store.files("matches")
    parts = [store.read_file(path, list(BOND_COLUMNS), "matches") for path in paths]
    rows = pa.concat_tables([pa.schema([MATCH.field(name) for name in BOND_COLUMNS]).empty_table(), *parts])
    ends = [catalogue.index_of_ids(rows.column(name)) for name in ("left_id", "right_id")]
    known = (ends[0] >= 0) & (ends[1] >= 0)
    known &= pc.equal(rows.column("schema_version"), SCHEMA_VERSION).to_numpy()
    left, right = (catalogue.node[np.maximum(end, 0)] for end in ends)
    new = [catalogue.node[catalogue.index(weighed[side])] for side in ("left", "right")]
    decided = decide(weighed["evidence"], settings)
    # What holds another story since now may have held the beginnings of others for long.
    holds = holders(decided.left_in, decided.right_in, new[0], new[1], len(catalogue.node))
    bond = known & _stored_bonds(rows, left, right, holds, settings)
    reached = reached_from(
        catalogue.node[catalogue.seeds(changed, first_new) & catalogue.counted], np.concatenate([left[bond], new[0]]),
        np.concatenate([right[bond], new[1]]), len(catalogue.node),
    )  # fmt: skip
    wanted = known & reached[left] & reached[right]
    bounds = np.cumsum([0, *(part.num_rows for part in parts)])
    found = [MATCH.empty_table()]
    for path, begin, stop in zip(paths, bounds[:-1], bounds[1:], strict=True):
        if wanted[begin:stop].any():
            found.append(store.read_file(path, MATCH.names, "matches").filter(pa.array(wanted[begin:stop])))
    return _newest_of_this_version(pa.concat_tables(found))


BOND_COLUMNS = (
    "left_id", "right_id", "relation", "contained_side", "containment", "rare_containment", "schema_version",
    "left_words", "right_words", "lead_covered", "long_lead_covered",
)  # fmt: skip
"""Columns of matches/ from which `relating.bonds` follow."""


def _stored_bonds(rows: pa.Table, left: Ints, right: Ints, holds: Flags, settings: MatchSettings) -> Flags:
    """`relating.bonds` by stored columns, and a few more: what is related too much changes nothing.

    Args:
        holds: bool[n], `relating.holders` by pairs that are not stored.
    """
    accepted = pc.not_equal(rows.column("relation"), RELATION_CODES[NONE]).to_numpy()
    sides = pc.fill_null(rows.column("contained_side"), "")
    left_in, right_in = (pc.is_in(sides, pa.array([side, "both"])).to_numpy() for side in ("left", "right"))
    # By the stored shares, a little lower than they decide.
    least = settings.partial_containment - SHARE_ROUNDING
    akin = (rows.column("containment").to_numpy() >= least) & (rows.column("rare_containment").to_numpy() >= least)
    begun = np.zeros((2, rows.num_rows), np.bool_)
    some = np.flatnonzero(akin)
    evidence = np.zeros(len(some), EVIDENCE)
    for name in ("left_words", "right_words", "lead_covered", "long_lead_covered"):
        evidence[name] = rows.column(name).to_numpy()[some]
    begun[:, some] = [begins >= MOST_OF_A_BEGINNING for begins in beginnings(evidence)]
    holds = holds | holders(left_in, right_in, left, right, len(holds))
    return bonds(accepted, begun[0], begun[1], left, right, holds)


SHARE_ROUNDING = 1e-6
"""Stored shares are float32, those that decide float64."""


def standing_pairs(catalogue: Catalogue, earlier: pa.Table, changed: Changed) -> npt.NDArray[np.void]:
    """What a run takes over from earlier ones: the pairs that it doesn't decide anew, WEIGHED.

    Pairs that a story asked for are left out: what the story was then may not be what it is now, and it asks again;
    but for those of sketches that were cut short, which can't be weighed again.
    """
    ends = [catalogue.index_of_ids(earlier.column(name)) for name in ("left_id", "right_id")]
    settled = np.logical_or(*((end >= 0) & catalogue.settled[np.maximum(end, 0)] for end in ends))
    rows = earlier.filter(pc.or_(pc.invert(earlier.column("asked")), pa.array(settled)))
    if changed.only_from is not None:
        # A new article may stand for an older one of the same words: what that one's pairs are, holds for it where it
        # is compared with the same articles; one without a date is compared with all.
        pairs = stored_pairs(catalogue, rows)
        return pairs[changed.are_near(*(catalogue.ends(pairs[side]).days for side in ("left", "right")))]
    # Rows of further articles of the same words are of other days, and stay when what stands for them is decided anew.
    ends = [catalogue.index_of_ids(rows.column(name)) for name in ("left_id", "right_id")]
    stand = np.logical_and(*((end >= 0) & catalogue.stands[np.maximum(end, 0)] for end in ends))
    nodes = [catalogue.handles[catalogue.node[end[stand]]] for end in ends]
    # Most pairs of a store that is younger than the window are decided anew: only the others' evidence is read.
    stand[stand] = ~changed.decides(*(catalogue.ends(node) for node in nodes))
    return stored_pairs(catalogue, rows.filter(pa.array(stand)))


def new_rows(matches: pa.Table, earlier: pa.Table, settings: MatchSettings) -> pa.Table:
    """The rows that the store lacks, or holds with another outcome.

    Counts of rare shingles move a little with every run; a row is written again only where that changed its outcome:
    its relation, the side contained, whether the two are akin, and whether they were proposed.
    """
    known = pc.is_in(_outcomes(matches, settings), _outcomes(earlier, settings))
    return matches.filter(pc.invert(known))


def withdrawn_rows(
    catalogue: Catalogue, earlier: pa.Table, matches: pa.Table, changed: Changed, settings: MatchSettings
) -> pa.Table:
    """Rows that take accepted matches back: pairs decided anew that are not even proposed any more.

    Pairs of an article that stood for its words and doesn't any more are decided anew too: by what does so now.

    Returns:
        MATCH without run_id and schema_version: the earlier rows with nothing shared, refused.
    """
    ends = [catalogue.index_of_ids(earlier.column(name)) for name in ("left_id", "right_id")]
    nodes = [catalogue.node[np.maximum(end, 0)] for end in ends]
    akin = decide(evidence_of(earlier), settings).akin
    gone = akin & (ends[0] >= 0) & (ends[1] >= 0) & (nodes[0] != nodes[1])
    gone &= changed.only_from is None
    moved = np.logical_or(*(catalogue.stood[end] & ~catalogue.stands[end] for end in ends))
    gone &= moved | changed.decides(*(catalogue.ends(catalogue.handles[node]) for node in nodes))
    gone &= ~np.isin(_pair_codes(catalogue, *nodes), _pair_codes(catalogue, *_nodes_of(catalogue, matches)))
    rows = earlier.filter(pa.array(gone)).select(matches.column_names)
    nothing: dict[str, object] = {
        "relation": RELATION_CODES[NONE], "accepted": False, "reason": WITHDRAWN, "contained_side": None,
        "jaccard": 0.0, "containment": 0.0, "rare_containment": 0.0, "shared": 0, "shared3": 0, "rare_shared": 0,
        "longest_run": 0, "shared_weight": 0,
    }  # fmt: skip
    for name, value in nothing.items():
        field = MATCH.field(name)
        column = pa.repeat(pa.scalar(value, field.type), rows.num_rows)
        rows = rows.set_column(rows.schema.get_field_index(name), field, column)
    return rows


def _outcomes(rows: pa.Table, settings: MatchSettings) -> pa.Array:
    named = [pc.fill_null(rows.column(name), "") for name in ("left_id", "right_id", "relation", "contained_side")]
    akin = pa.array(decide(evidence_of(rows), settings).akin).cast(pa.string())
    named += [pa.chunked_array([akin]), rows.column("asked").cast(pa.string())]
    return pc.binary_join_element_wise(*(one.combine_chunks() for one in named), " ")


def _nodes_of(catalogue: Catalogue, rows: pa.Table) -> list[npt.NDArray[np.int64]]:
    return [catalogue.node[catalogue.index_of_ids(rows.column(name))] for name in ("left_id", "right_id")]


def _pair_codes(
    catalogue: Catalogue, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    codes: npt.NDArray[np.int64] = np.minimum(left, right) * len(catalogue.node) + np.maximum(left, right)
    return codes
