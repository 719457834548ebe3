"""The flow, one expression a job. Each job reads what the one before staged; its listing, written last, ends it."""

from __future__ import annotations

import json

import apache_beam as beam

from schemas.settings import Settings
from transforms.clean_articles import CleanArticles
from transforms.find_rewrites import FindRewrites, RewriteTask
from transforms.functions.topics import Topic
from transforms.learn_furniture import FurnitureTask, LearnFurniture
from transforms.match_articles import CountRarity, MatchArticles, MatchTask, WeighPairs
from transforms.parts import WriteListing
from transforms.publish_run import PublishRun, PublishTask
from transforms.read_articles import ReadArticles
from transforms.read_stored import ReadStored
from transforms.relate_articles import RelateArticles, RelateTask
from transforms.sign_articles import SignArticles
from transforms.stage_articles import StageArticles


def build_stage(
    pipeline: beam.Pipeline, splits: list[dict[str, object]], folder: str, listing: str, settings: Settings,
    topic: Topic | None = None,
) -> None:  # fmt: skip
    """1: read, clean and sign every split, and stage what comes out."""
    numbered = [json.dumps({"number": number, "split": split}) for number, split in enumerate(splits)]
    (
        pipeline
        | "Splits" >> beam.Create(numbered)
        | "Read articles" >> ReadArticles(settings.read, topic)
        | "Clean articles" >> CleanArticles(settings)
        | "Sign articles" >> SignArticles(settings.sign)
        | "Stage articles" >> StageArticles(folder)
        | "List parts" >> WriteListing(listing)
    )


def build_restage(
    pipeline: beam.Pipeline, files: list[dict[str, object]], folder: str, listing: str, settings: Settings
) -> None:
    """1, of an upgrade: the articles of another store's files, cleaned and signed anew, and what it has refused."""
    numbered = [json.dumps({"number": number, **file}) for number, file in enumerate(files)]
    (
        pipeline
        | "Files" >> beam.Create(numbered)
        | "Read stored" >> ReadStored()
        | "Clean articles" >> CleanArticles(settings)
        | "Sign articles" >> SignArticles(settings.sign)
        | "Stage articles" >> StageArticles(folder)
        | "List parts" >> WriteListing(listing)
    )


def build_rarity(
    pipeline: beam.Pipeline, task: MatchTask, lines: FurnitureTask, stretches: list[int], listing: str
) -> None:
    """2: on how many days of each stretch of time each shingle was seen, and which lines are an outlet's furniture."""
    shingles = pipeline | "Stretches" >> beam.Create(stretches) | "Count rarity" >> CountRarity(task)
    known = pipeline | "Once" >> beam.Create([0]) | "Learn furniture" >> LearnFurniture(lines)
    (shingles, known) | "Both" >> beam.Flatten() | "List what is common" >> WriteListing(listing)


def build_match(pipeline: beam.Pipeline, task: MatchTask, files: list[int], propose: str, listing: str) -> None:
    """3 and 4: propose pairs by bands, then by anchors, and weigh them."""
    (
        pipeline
        | "Sketch files" >> beam.Create(files)
        | "Match articles" >> MatchArticles(task, propose)
        | "List pairs" >> WriteListing(listing)
    )


def build_provisional(
    pipeline: beam.Pipeline, task: MatchTask, lines: FurnitureTask, files: list[int], listing: str
) -> None:
    """2 to 5 of a run of which the labels are provisional: only what is new proposes pairs, by its anchors."""
    weighed = pipeline | "Sketch files" >> beam.Create(files) | "Match articles" >> MatchArticles(task, "anchors")
    known = pipeline | "Once" >> beam.Create([0]) | "Learn furniture" >> LearnFurniture(lines)
    (weighed, known) | "Both" >> beam.Flatten() | "List pairs" >> WriteListing(listing)


def build_complete(
    pipeline: beam.Pipeline, task: MatchTask, pairs_path: str, ranges: int, rewrites: RewriteTask, listing: str
) -> None:
    """5: what is compared through a representative, with all that it has to do with; and rewrites in other words."""
    weighed = (
        pipeline | "Ranges" >> beam.Create(list(range(ranges))) | "Weigh pairs" >> WeighPairs(task, pairs_path, ranges)
    )
    reworded = (
        pipeline | "Parts of stretches" >> beam.Create(rewrites.elements) | "Find rewrites" >> FindRewrites(rewrites)
    )
    (weighed, reworded) | "Both" >> beam.Flatten() | "List pairs" >> WriteListing(listing)


def build_relate(pipeline: beam.Pipeline, task: RelateTask, listing: str) -> None:
    """6: stories, keepers, labels."""
    (
        pipeline
        | "Once" >> beam.Create([0])
        | "Relate articles" >> RelateArticles(task)
        | "List labels" >> WriteListing(listing)
    )


def build_publish(pipeline: beam.Pipeline, task: PublishTask, groups: list[str], listing: str) -> None:
    """7: the store's tables; the manifest comes after, when all sums are right."""
    (
        pipeline
        | "Groups" >> beam.Create(groups)
        | "Publish run" >> PublishRun(task)
        | "List files" >> WriteListing(listing)
    )
