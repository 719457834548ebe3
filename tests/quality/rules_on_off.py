"""Near-duplicate figures with cleaning on against off: rules must make none of them worse.

    .venv/bin/python -m tests.quality.rules_on_off [SET ...]

Runs each set of ../shared/eval/neardup twice, by default and with `clean.level=off`, and prints both beside each other;
the exit code is 1 where a figure is worse with rules than without by more than SLACK.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.quality import measuring

FIGURES = {
    "labelled_in_context": {
        "all/f1": 1, "all/false_link_rate": -1, "label/contained/tied_share": 1, "label/partial/any_share": 1,
        "label/different/any_share": -1,
    },
    "labelled_hard": {
        "all/f1": 1, "all/false_link_rate": -1, "label/partial/any_share": 1, "label/different/any_share": -1,
    },
    "saudinewsnet": {
        "contain5>=.8/tied_share": 1, "contain5>=.5/tied_share": 1, "proxy/tied_overlap25": 1,
        "stories/largest_share_of_documents": -1,
    },
    "reuters_takes": {
        "all/recall": 1, "all/false_link_rate": -1, "version_by_contain5/0.35-0.50/any_share": 1,
    },
    "rewrites": {"label/desk/tied_share": 1, "label/sibling/any_share": -1},
}  # fmt: skip
"""The figures of each set, and whether more (1) or less (-1) is better."""

SLACK = 0.0005
"""Half of what the last digit printed tells apart."""


def main(names: list[str]) -> int:
    """Prints the table for the given sets, all by default."""
    worse = 0
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'set':20} {'figure':42} {'off':>7} {'on':>7}")
        for name in names or list(FIGURES):
            off = measuring.figures_of(name, Path(folder) / "off", clean__level="off")
            on = measuring.figures_of(name, Path(folder) / "on")
            for path, sign in FIGURES[name].items():
                without, with_rules = measuring.look_up(off, path), measuring.look_up(on, path)
                fell = sign * (with_rules - without) < -SLACK
                worse += fell
                print(f"{name:20} {path:42} {without:7.3f} {with_rules:7.3f}{'  worse' if fell else ''}")
    return 1 if worse else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
