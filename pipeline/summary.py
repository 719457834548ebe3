"""A run's outcome for a person to read, from its manifest."""

from __future__ import annotations

from typing import Any

from schemas.reasons import REASONS


def summary_of(manifest: dict[str, Any], store: str) -> str:
    """The summary of a committed run, or of a run that found nothing new."""
    if manifest.get("nothing_new"):
        return (
            f"Nothing new: the store has read all {manifest['files']} input files before "
            f"({_number(manifest['runs'], 'run')} committed). Nothing was written.\nstore     {store}"
        )
    counts, tallies = manifest["counts"], manifest["tallies"]
    lines = [
        f"Run {manifest['run_id']} committed",
        f"  records in  {counts['records']:>9,}   from {_number(len(manifest['inputs']), 'file')}",
        f"  clean       {counts['clean']:>9,}   articles to use ({_tally(tallies.get('clean_by_relation'))})",
        f"  copies      {counts['copies']:>9,}   of a kept article ({_tally(tallies.get('copies_by_relation'))})",
        f"  rejected    {counts['rejected']:>9,}   {'' if counts['rejected'] else 'none'}",
    ]
    for reason, count in tallies.get("rejected_by_reason", {}).items():
        lines.append(f"    {count:>7,}  {reason}: {REASONS.get(reason, '')}")
    if counts["relabelled"]:
        lines.append(f"  relabelled  {counts['relabelled']:>9,}   articles of earlier runs, by what arrived now")
    if manifest["caps"].get("capped"):
        caps = manifest["caps"]
        lines.append(
            f"  capped      {caps['capped']:>9,}   of {caps['postings']:,} postings stood in too many articles to be "
            "compared (match.max_anchor_postings)"
        )
    rules: dict[str, int] = {}
    for name in ("clean_by_rule", "copies_by_rule"):
        for rule, count in tallies.get(name, {}).items():
            rules[rule] = rules.get(rule, 0) + count
    if rules:
        most = sorted(rules.items(), key=lambda item: (-item[1], item[0]))[:5]
        lines.append(f"  removed     {sum(rules.values()):>9,}   spans; most by {_tally(dict(most))}")
    lines += [
        f"store     {store}",
        f"articles  {store}/clean/run={manifest['run_id']}/",
        f"report    {store}/reports/run={manifest['run_id']}/index.html",
    ]
    return "\n".join(line.rstrip() for line in lines)


def _tally(tally: dict[str, int] | None) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in tally.items()) if tally else "none"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
