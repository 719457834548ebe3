"""Raw records to cleaned articles."""

from __future__ import annotations

from collections.abc import Iterable

import apache_beam as beam

from schemas.settings import Settings
from transforms.functions.cleaning import clean_batch
from transforms.functions.extraction import PageExtractor
from transforms.parts import Part


class CleanArticles(beam.PTransform):
    """`Part`s of RAW records to parts of CLEANED ones; what can't be an article joins the refused."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings

    def expand(self, parts: beam.PCollection[Part]) -> beam.PCollection[Part]:
        return parts | "Clean" >> beam.ParDo(_Clean(self.settings))


class _Clean(beam.DoFn):
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.extractor: PageExtractor | None = None

    def setup(self) -> None:
        self.extractor = PageExtractor(self.settings.clean.extraction_timeout_seconds)

    def process(self, part: Part) -> Iterable[Part]:
        assert self.extractor is not None
        cleaned = clean_batch(part.records, self.settings, self.extractor)
        yield part.with_refused(cleaned.refused, records=cleaned.cleaned, removed_share=cleaned.removed_share)

    def teardown(self) -> None:
        if self.extractor is not None:
            self.extractor.close()
