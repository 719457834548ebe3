"""Who stands for a story, by each policy of --keep, over whole runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.command_line import main
from tests.pipeline.store_reading import articles_of, write_jsonl

SENTENCES = """
Engineers reopened the Tarnwell viaduct to goods trains on Thursday, eleven weeks after a landslip tore away its pier.
Drivers were told to cross at walking pace while sensors bolted beneath the arches listened for movement.
The repair used four thousand tonnes of granite brought by barge from a quarry across the estuary.
Stonemasons worked under floodlights through most of the winter because spring tides would have stopped the barges.
A passenger timetable will follow in two stages, beginning with the early services to the county hospital.
Villagers on the western bank had relied on a minibus that took ninety minutes over the moorland road.
The rail minister, visiting the signal box, called the work the quickest of its kind for half a century.
Unions welcomed the reopening but asked why warnings about drainage had lain unanswered for three years.
An inquiry led by a retired geologist is to publish what it found about the culvert before midsummer.
Insurers put the damage to farms below the embankment at nine million, most of it drowned seed potatoes.
Campaigners want the disused halt at Birkrigg rebuilt while the contractor's cranes are still on the site.
The council promised a decision on the halt once it had seen how many passengers come back in the first month.
Schools along the line will run a later bell until the through trains return, the education office added.
""".strip().split("\n")
WIRE = "TARNWELL, March 3 (Reuters) - "
ROWS: list[dict[str, Any]] = [
    {"id": "early", "source": "Moor Gazette", "published_at": "2026-03-03T06:00:00Z", "text": SENTENCES[:10]},
    # Of the same words, so that exact copies are ranked by the policy too.
    {"id": "wire", "source": "Reuters", "published_at": "2026-03-03T09:00:00Z", "text": SENTENCES[:10]},
    {"id": "whole", "source": "Estuary Post", "published_at": "2026-03-03T18:00:00Z", "text": SENTENCES},
    {"id": "cut", "source": "Reuters", "published_at": "2026-03-03T05:00:00Z", "text": SENTENCES[:4]},
]
FULL = ("early", "wire", "whole")


def rows() -> list[dict[str, Any]]:
    return [
        row | {"text": (WIRE if row["source"] == "Reuters" else "") + "\n".join(row["text"]), "title": row["id"]}
        for row in ROWS
    ]


def keepers(store: Path) -> dict[str, tuple[str, str]]:
    """Of each article, by the giver's id: who stands for it, and its relation."""
    articles = articles_of(store)
    names = {row["article_id"]: row["source_id"] for row in articles}
    return {row["source_id"]: (names[row["kept_id"]], row["relation"]) for row in articles}


@pytest.mark.parametrize(
    ("keep", "winner"), [(None, "whole"), ("most-complete", "whole"), ("earliest", "early"), ("wire-first", "wire")]
)
def test_each_policy_keeps_whom_it_promises_in_any_order(tmp_path: Path, keep: str | None, winner: str) -> None:
    found = []
    for name, order in (("forward", rows()), ("backward", rows()[::-1])):
        folder = tmp_path / name
        for number, row in enumerate(order):
            write_jsonl(folder / f"{number}.jsonl", [row])
        flags = ["--keep", keep] if keep else []
        command = ["run", "--quiet", "--input", str(folder), "--store", str(tmp_path / f"{name}-store"), *flags]
        assert main(command) == 0
        found.append(keepers(tmp_path / f"{name}-store"))
    assert found[0] == found[1]
    kept = found[0]
    assert {kept[one][0] for one in FULL} == {winner}
    assert kept[winner][1] in ("kept", "partial")
    if winner == "whole":
        # Though it came first, and from the agency itself.
        assert kept["cut"] == ("whole", "contained")
    assert {keeper for one, (keeper, _) in kept.items() if one != "cut"} != {"cut"}
