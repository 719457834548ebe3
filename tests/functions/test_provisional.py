"""Provisional labels: who becomes a copy of whom, and what stories are called then."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from schemas.settings import Settings
from transforms.functions.provisional import EVIDENCE_ROWS, Standing, provisional_labels


def evidence(*rows: tuple[str, str, str, str | None, int]) -> pa.Table:
    """Rows of left, right, relation, side contained, shared 3-shingles of a hundred."""
    blank: dict[str, Any] = {
        one.name: "" if pa.types.is_string(one.type) else pa.scalar(0).cast(one.type).as_py() for one in EVIDENCE_ROWS
    }
    names = ("left_id", "right_id", "relation", "contained_side", "shared3")
    given = [
        blank | dict(zip(names, row, strict=True))
        | {"accepted": row[2] != "none", "left_shingles3": 100, "right_shingles3": 100}
        for row in rows
    ]  # fmt: skip
    return pa.Table.from_pylist(given, schema=EVIDENCE_ROWS)


def labelled(
    new: list[str], rows: pa.Table, standing: Standing | None = None, **given: str
) -> dict[str, tuple[Any, ...]]:
    """Label of each new article: relation, keeper, story, source."""
    settings = Settings().replace({key.replace("__", "."): value for key, value in given.items()})
    labels, _ = provisional_labels(new, rows, Standing() if standing is None else standing, settings)
    names = ("relation", "kept_id", "story_id", "derived_from")
    return {row["article_id"]: tuple(row[name] for name in names) for row in labels.to_pylist()}


def test_a_copy_needs_evidence_with_a_kept_one() -> None:
    """b is in a and c in b, but c was never compared with a: chains remove nothing."""
    rows = evidence(("a", "b", "near", "both", 90), ("b", "c", "near", "both", 90))
    found = labelled(["a", "b", "c"], rows)
    assert found["b"] == ("near", "a", "a", None)
    assert found["c"] == ("partial", "c", "c", "b")


def test_what_holds_more_than_what_came_before_is_kept() -> None:
    assert labelled(["a", "b"], evidence(("a", "b", "contained", "left", 90)))["b"][:2] == ("partial", "b")
    assert labelled(["b", "a"], evidence(("a", "b", "contained", "left", 90)))["a"][:2] == ("contained", "b")


def test_the_nearest_keeper_is_taken() -> None:
    rows = evidence(
        ("a", "c", "contained", "right", 80), ("b", "c", "near", "both", 75), ("c", "d", "near", "both", 70)
    )
    assert labelled(["a", "b", "d", "c"], rows)["c"][:2] == ("near", "b")


def test_stories_have_the_name_of_their_smallest_member() -> None:
    standing = Standing()
    labelled(["m", "z"], evidence(("m", "z", "near", "both", 90)), standing)
    rows = evidence(("b", "m", "exact", "both", 99))
    labels, renamed = provisional_labels(["b"], rows, standing, Settings())
    assert labels.to_pylist()[0] | {"relation": ""} == {
        "article_id": "b", "story_id": "b", "relation": "", "kept_id": "m", "derived_from": None,
    }  # fmt: skip
    assert renamed == ["m", "z"]
    assert standing.labels(renamed).column("story_id").to_pylist() == ["b", "b"]
    assert standing.labels(["z"]).to_pylist()[0]["relation"] == "near"


@pytest.mark.parametrize(("drop", "keeper"), [("exact,near,contained", "b"), ("exact,near,contained,partial", "a")])
def test_a_partial_one_that_is_dropped_has_a_keeper(drop: str, keeper: str) -> None:
    found = labelled(["a", "b"], evidence(("a", "b", "partial", None, 40)), relate__drop=drop)
    assert found["b"] == ("partial", keeper, "b", "a")


def rows_of(*rows: tuple[str, str, str, str | None]) -> pa.Table:
    names = ("article_id", "relation", "kept_id", "derived_from")
    return pa.table({name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(names)})


def test_labels_are_learnt_from_a_store() -> None:
    """A later run's row wins, and an article that is kept again is in nobody's story."""
    standing = Standing()
    standing.learn(rows_of(("a", "kept", "a", None), ("b", "near", "a", None), ("c", "partial", "c", "a")))
    assert standing.story("b") == "a"
    standing.learn(rows_of(("b", "kept", "b", None)))
    assert standing.labels(["b", "c"]).to_pylist() == [
        {"article_id": "b", "story_id": "b", "relation": "kept", "kept_id": "b", "derived_from": None},
        {"article_id": "c", "story_id": "c", "relation": "partial", "kept_id": "c", "derived_from": "a"},
    ]
    assert standing.members == {"a": set()}
