"""A run's outcome for a person to read, from its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.reasons import REASONS


def summary_of(manifest: dict[str, Any], store: str) -> str:
    """The summary of a committed run, or of a run that found nothing new."""
    if manifest.get("nothing_new") and manifest.get("kind") == "relabel":
        return f"Nothing new: no label changes. Nothing was written.\nstore     {store}"
    if manifest.get("nothing_new"):
        older = f"; {manifest['older']:,} more were last changed before --since" if manifest["older"] else ""
        return (
            f"Nothing new: the store has read all {manifest['files']} input files before "
            f"({_number(manifest['runs'], 'run')} committed){older}. Nothing was written. "
            f"--reprocess reads them again, with another --field or --set.\nstore     {store}"
        )
    counts, tallies = manifest["counts"], manifest["tallies"]
    if manifest.get("kind") == "relabel":
        decisions = sum(entry["rows"] for entry in manifest["files"] if entry["table"] == "matches")
        lines = [
            f"Run {manifest['run_id']} committed",
            f"  relabelled  {counts['relabelled']:>9,}   articles, by {_number(decisions, 'new or changed decision')}",
        ]
        return "\n".join([*lines, *_warnings(manifest), f"store     {store}"])
    lines = [
        f"Run {manifest['run_id']} committed",
        f"  records in  {counts['records']:>9,}   from {_inputs(manifest)}{_alike(manifest)}",
        f"  clean       {counts['clean']:>9,}   articles to use ({_tally(tallies.get('clean_by_relation'))})",
        f"  copies      {counts['copies']:>9,}   of a kept article ({_tally(tallies.get('copies_by_relation'))})",
        f"  rejected    {counts['rejected']:>9,}   {'' if counts['rejected'] else 'none'}",
    ]
    for reason, count in by_count(tallies.get("rejected_by_reason", {})):
        lines.append(f"    {count:>7,}  {reason}: {REASONS.get(reason, '')}")
    if counts["relabelled"]:
        lines.append(f"  relabelled  {counts['relabelled']:>9,}   articles of earlier runs, by what arrived now")
    if manifest.get("provisional"):
        lines.append(f"  provisional             `copydesk reconcile --store {store}` decides what it changes")
    if manifest["caps"].get("capped"):
        caps = manifest["caps"]
        lines.append(
            f"  capped      {caps['capped']:>9,}   of {caps['postings']:,} postings stood in too many articles to be "
            "compared (match.max_anchor_postings)"
        )
    if manifest["caps"].get("crowded_terms"):
        lines.append(
            f"  crowded     {manifest['caps']['crowded_terms']:>9,}   names and words stood in too many articles to "
            "lead to rewrites (rewrite.max_term_articles)"
        )
    rules: dict[str, int] = {}
    for name in ("clean_by_rule", "copies_by_rule"):
        for rule, count in tallies.get(name, {}).items():
            rules[rule] = rules.get(rule, 0) + count
    if rules:
        most = by_count(rules)[:5]
        lines.append(f"  removed     {sum(rules.values()):>9,}   spans; most by {_tally(dict(most))}")
    lines += [
        *_warnings(manifest),
        f"store     {store}",
        f"articles  {store}/clean/run={manifest['run_id']}/",
        f"report    {store}/reports/run={manifest['run_id']}/index.html",
    ]
    return "\n".join(line.rstrip() for line in lines)


def _warnings(manifest: dict[str, Any]) -> list[str]:
    """A line each, as many as a screen has room for; manifests of older programs have none."""
    given = [warning["message"] for warning in manifest.get("warnings", ())]
    more = [f"{len(given) - SHOWN_WARNINGS:,} more: see the report"] if len(given) > SHOWN_WARNINGS else []
    return [f"  WARNING     {message}" for message in [*given[:SHOWN_WARNINGS], *more]]


SHOWN_WARNINGS = 5


def by_count(tally: Mapping[str, int]) -> list[tuple[str, int]]:
    """A tally, what there is most of first; manifests keep no order."""
    return sorted(tally.items(), key=lambda item: (-item[1], item[0]))


def _tally(tally: Mapping[str, int] | None) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in by_count(tally)) if tally else "none"


def _inputs(manifest: dict[str, Any]) -> str:
    ranges = sum("end_offset" in entry for entry in manifest["inputs"])
    if not ranges:
        return _number(len(manifest["inputs"]), "file")
    return f"{_number(ranges, 'partition')} of {manifest['inputs'][0]['path'].rpartition('#')[0]}"


def _alike(manifest: dict[str, Any]) -> str:
    alike = sum(len(entry.get("also", ())) for entry in manifest["inputs"])
    return f" ({_number(alike, 'more file')} of the same content as one of them)" if alike else ""


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
