"""What a run warns of: outcomes that real news hardly has, so that furniture or a template may be taken for stories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from schemas.settings import RunSettings

SOURCE, STORY = "source", "story"
MOST_STORIES = 20
"""So many of the largest stories are named; a manifest stays readable where a template joins thousands."""


@dataclass(frozen=True)
class Warned:
    """One warning of a run.

    Attributes:
        kind: SOURCE or STORY.
        what: the source's name, or the story_id.
        figure: the share of the source's articles in copies/, or the story's number of articles.
        limit: the setting that it exceeds.
        message: for a person, with what to do.
    """

    kind: str
    what: str
    figure: float
    limit: float
    message: str

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def warnings_of(
    clean: Mapping[str, int], copies: Mapping[str, int], stories: pa.ChunkedArray, settings: RunSettings
) -> list[Warned]:
    """What is beyond the limits: sources by name, then stories, the largest first.

    Args:
        clean: how many articles of each source the run published in clean/.
        copies: the same of copies/.
        stories: string[n], the story_id of every article that the run related to another; copies of each kind count.
        settings: the limits; what reaches one exactly is not warned of.
    """
    return [*_sources(clean, copies, settings), *_stories(stories, settings)]


def _sources(clean: Mapping[str, int], copies: Mapping[str, int], settings: RunSettings) -> Iterator[Warned]:
    limit = settings.warn_source_copies_share
    for source in sorted(copies):
        lost = copies[source]
        articles = lost + clean.get(source, 0)
        if articles < settings.warn_source_articles or lost / articles <= limit:
            continue
        told = f"source {source!r}" if source else "articles that name no source"
        message = (
            f"{told}: {lost:,} of {articles:,} articles went to copies/, a share of {lost / articles:.2f}; more than "
            f"{limit:g} is unusual (run.warn_source_copies_share). Look at a few with `copydesk explain`: are they "
            "copies, or is it furniture or a template that they share?"
        )
        yield Warned(SOURCE, source, round(lost / articles, 4), limit, message)


def _stories(stories: pa.ChunkedArray, settings: RunSettings) -> Iterator[Warned]:
    limit = settings.warn_story_articles
    counted = pc.value_counts(stories)
    large = counted.filter(pc.greater(counted.field("counts"), limit)).to_pylist()
    for row in sorted(large, key=lambda row: (-row["counts"], row["values"]))[:MOST_STORIES]:
        story, articles = row["values"], row["counts"]
        message = (
            f"story {story}: {articles:,} articles, copies counted; more than {limit} is unusual "
            f"(run.warn_story_articles). Look at it with `copydesk explain --store DIR {story}`: is it one story, or "
            "furniture or a template?"
        )
        yield Warned(STORY, story, articles, limit, message)
