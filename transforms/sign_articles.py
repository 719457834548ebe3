"""Cleaned articles to fingerprints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import apache_beam as beam

from schemas.settings import SignSettings
from transforms.functions.furniture import sign_lines
from transforms.functions.signing import sign_batch
from transforms.parts import Part


class SignArticles(beam.PTransform):
    """`Part`s of CLEANED records to the same with their sketches, and those of their lines."""

    def __init__(self, settings: SignSettings) -> None:
        super().__init__()
        self.settings = settings

    def expand(self, parts: beam.PCollection[Part]) -> beam.PCollection[Part]:
        return parts | "Sign" >> beam.ParDo(_Sign(self.settings))


class _Sign(beam.DoFn):
    def __init__(self, settings: SignSettings) -> None:
        self.settings = settings

    def process(self, part: Part) -> Iterable[Part]:
        assert part.removed_share is not None
        sketches = sign_batch(part.records, part.removed_share, self.settings)
        yield replace(part, sketches=sketches, lines=sign_lines(part.records, sketches))
