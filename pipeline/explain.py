"""Why an article is in `clean/` or not: its label, its matches with their evidence, and what was taken out of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import UsageError
from pipeline.labels import current_labels
from pipeline.store import Store
from schemas import relations

SHOWN = [
    "article_id", "source_id", "source", "url", "title", "published_at", "source_uri", "position", "byline", "dateline",
    "dateline_date", "agency", "removed",
]  # fmt: skip

SPAN_SHOWN = 100
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
"""What a terminal may take for a command: a span can hold it, for a rule takes it out of texts."""


def explain(store: Store, wanted: str, *, as_json: bool = False) -> str:
    """The explanation of an article, by its article_id or how that begins, by the giver's own id or by its URL.

    Raises:
        UsageError: the store holds no such article and refused no such record, or several articles fit.
    """
    found = _find(store, wanted)
    article = found["article"]
    if article is None:
        if not found["rejected"]:
            raise UsageError(f"{store.path} holds no article {wanted!r}, and refused none of that id")
        return json.dumps(found, ensure_ascii=False, default=str) if as_json else _refused(found["rejected"])
    labels = current_labels(store)
    label = labels.filter(pc.equal(labels.column("article_id"), article["article_id"])).to_pylist()[0]
    story = labels.filter(pc.equal(labels.column("story_id"), label["story_id"])).column("article_id").to_pylist()
    matches = store.read("matches")
    own = pc.or_(
        pc.equal(matches.column("left_id"), article["article_id"]),
        pc.equal(matches.column("right_id"), article["article_id"]),
    )
    rows = matches.filter(own).to_pylist()
    others = {row[side] for row in rows for side in ("left_id", "right_id")} - {article["article_id"]}
    found |= {"label": label, "story": story, "matches": rows, "others": _named(store, others)}
    return json.dumps(found, ensure_ascii=False, default=str) if as_json else _told(found)


def _find(store: Store, wanted: str) -> dict[str, Any]:
    """The article that is meant, with its table, and refused records; what is given whole goes before a beginning."""
    found: list[dict[str, Any]] = []
    for table in ("clean", "copies"):
        rows = store.read(table, IDENTIFYING)
        found += [row | {"table": table} for row in rows.filter(_fits(rows, wanted)).to_pylist()]
    whole = [row for row in found if wanted in (row["article_id"], row["source_id"], row["url"])]
    found = whole or found
    if len(found) > 1:
        shown = "\n".join(
            f"  {row['article_id']}  {row['source'] or '(outlet not given)'}: {row['title'] or '(no title)'}"
            for row in found[:MOST_CHOICES]
        )
        more = f"\n  and {len(found) - MOST_CHOICES} more" if len(found) > MOST_CHOICES else ""
        raise UsageError(f"{wanted!r} fits {len(found)} articles of {store.path}; expected one of\n{shown}{more}")
    rejected = store.read("rejected", ["source_uri", "position", "source_id", "stage", "reason", "message"])
    own = found[0]["article_id"] if found else wanted
    mask = pc.fill_null(pc.equal(rejected.column("source_id"), wanted), False)
    mask = pc.or_(mask, pc.match_substring(rejected.column("message"), own)) if len(own) == 32 else mask
    article = _article(store, found[0]) if found else None
    return {"article": article, "rejected": rejected.filter(mask).to_pylist()}


IDENTIFYING = ["article_id", "source_id", "url", "source", "title"]
MOST_CHOICES = 10
SHORTEST_PREFIX = 4


def _fits(rows: pa.Table, wanted: str) -> pa.ChunkedArray:
    """Which rows have an id or a URL that is as wanted, or an article_id that begins so."""
    fits = pc.equal(rows.column("article_id"), wanted)
    for name in ("source_id", "url"):
        fits = pc.or_(fits, pc.fill_null(pc.equal(rows.column(name), wanted), False))
    if len(wanted) >= SHORTEST_PREFIX:
        fits = pc.or_(fits, pc.starts_with(rows.column("article_id"), wanted.lower()))
    return fits


def _article(store: Store, found: dict[str, Any]) -> dict[str, Any]:
    rows = store.read(found["table"], SHOWN)
    row = rows.filter(pc.equal(rows.column("article_id"), found["article_id"])).slice(0, 1).to_pylist()[0]
    return {**row, "table": found["table"]}


def _named(store: Store, article_ids: set[str]) -> dict[str, str]:
    """Outlet and title of articles, by id."""
    wanted = pa.array(sorted(article_ids), pa.string())
    found = {}
    for table in ("clean", "copies"):
        rows = store.read(table, ["article_id", "source", "title"])
        for row in rows.filter(pc.is_in(rows.column("article_id"), wanted)).to_pylist():
            found[row["article_id"]] = f"{row['source'] or '(outlet not given)'}: {row['title'] or '(no title)'}"
    return found


def _refused(rows: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"refused at {row['stage']}: {row['reason']}: {row['message']}\n  from {row['source_uri']} at {row['position']}"
        for row in rows
    )


def _told(found: dict[str, Any]) -> str:
    article, label = found["article"], found["label"]
    own = article["article_id"]
    lines = [
        f"{own}  {article['title'] or '(no title)'}",
        f"  {article['source'] or '(outlet not given)'}, {article['published_at'] or 'date not given'}, "
        f"from {article['source_uri']} at {article['position']}",
        *([f"  {article['url']}"] if article["url"] else []),
        f"  {_verdict(label)}",
        f"  story {label['story_id']}: {len(found['story'])} article(s)",
    ]
    lines += [
        f"  {name}: {article[name]}" for name in ("byline", "dateline", "dateline_date", "agency") if article[name]
    ]
    lines.append(f"matches: {len(found['matches'])}")
    for row in sorted(found["matches"], key=lambda row: (not row["accepted"], -row["containment"])):
        other, side = (row["right_id"], "left") if row["left_id"] == own else (row["left_id"], "right")
        lines.append(
            f"  {other}  {found['others'].get(other, '')}\n"
            f"    {row['relation'] if row['accepted'] else 'refused'}: {row['reason']}\n"
            f"    jaccard {row['jaccard']:.2f}, containment {row['containment']:.2f}, of its rare language "
            f"{row['rare_containment']:.2f} shared ({row['rare_shared']} phrases); of this article's phrases "
            f"{_share(row['shared3'], row[side + '_shingles3'])} are in the other; longest run {row['longest_run']}"
        )
        if row["relation"] == relations.REWRITE:
            lines.append(_reworded(row, side))
    lines.append(f"removed from the text: {len(article['removed'])} span(s)")
    for span in article["removed"]:
        text = " ".join(span["text"].split())
        text = CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
        text = text if len(text) <= SPAN_SHOWN else text[:SPAN_SHOWN] + "…"
        lines.append(f"  at {span['at']}: {span['rule']} ({span['category']}): {text}")
    lines += [f"also refused: {row['reason']}: {row['message']}" for row in found["rejected"]]
    return "\n".join(lines)


def _verdict(label: dict[str, Any]) -> str:
    if label["relation"] == "kept":
        return "kept: it stands for itself"
    if label["relation"] == relations.REWRITE:
        where = "is kept" if label["is_kept"] else f"{label['kept_id']} stands for it"
        return f"rewrite: the same report as {label['derived_from']} in other words; {where}"
    if label["is_kept"]:
        return f"{label['relation']}: takes text from {label['derived_from']}, and is kept for its own"
    return f"{label['relation']} copy of {label['kept_id']}, which stands for it"


def _reworded(row: dict[str, Any], side: str) -> str:
    """What a rewrite is told by."""
    other = "left" if side == "right" else "right"
    shared = row["shared_weight"]
    own, others = _share(shared, row[f"{side}_weight"]), _share(shared, row[f"{other}_weight"])
    level, paced = _share(row["level_weight"], shared), _share(row["paced_weight"], shared)
    return (
        f"    of its names, numbers and unusual words {own} (by how rare they are) are in the other, {others} of the "
        f"other's in it; of these {level} at the same height and {paced} in step; numbers {row['figures_shared']} of "
        f"{row[f'{side}_figures']} and {row[f'{other}_figures']}"
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "0"
