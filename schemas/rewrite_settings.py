"""Settings of the search for rewrites in other words."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.checked_settings import Bound, Checked, setting


@dataclass(frozen=True)
class RewriteSettings(Checked):
    """Which pairs are compared as rewrites. What makes a pair one stands in transforms/functions/rewording.py."""

    days: int = setting(
        3,
        "days",
        "a rewrite follows its source within days; what two texts of later days share is more and more often the "
        "running story. Undated articles are compared with undated ones. -1 looks for no rewrites",
        bound=Bound(-1, 30),
    )
    min_words: int = setting(
        100,
        "words",
        "of the shorter text. Births, weddings and telegrams of 40 to 90 words share their few terms by template; the "
        "shortest of 48 rewrites made by hand has 136",
        bound=Bound(1, 100_000),
    )
    max_term_articles: int = setting(
        300,
        "articles",
        "a term of more articles of one stretch of match.window_days proposes nothing (it still counts as evidence): "
        "left out and counted, so that a template of thousands costs no more than it does. In a month of 6,700 "
        "articles the rewrites made by hand are all proposed by terms of up to 4 %",
        bound=Bound(2, 10_000_000),
    )
