"""A bounded pipeline that is run in this process as it is built, for the few rows of a micro-batch.

Beam's local runner translates each graph, starts a worker for it and codes what flows from step to step: 0.25
CPU-seconds a job, whatever it does. A provisional run of 100 articles into a store of 100,000 took 2.2 CPU-seconds with
it, and takes 0.9 so. The same expressions of `build` are expanded here, and the same composites and DoFns called,
element by element. Only what they consist of is known: no state, timers, windows or side inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.core import _MultiParDo
from apache_beam.transforms.ptransform import _NamedPTransform

from pipeline.store import Store

LITTLE_BYTES = 8 << 20
"""Some thousand articles, which take as long as a runner's own work for their jobs."""


def is_little(plan: dict[str, Any], store: Store) -> bool:
    """Whether a run reads so little, and compares it with so little, that it is done here."""
    size = sum(entry["size"] for entry in plan["inputs"])
    if not plan["provisional"]:
        entries = [entry for manifest in store.manifests for entry in store.entries(manifest)]
        size += sum(entry["bytes"] for entry in entries if entry["table"] == "sketches")
    return int(size) <= LITTLE_BYTES


def run_plainly(build: Callable[[beam.Pipeline], None]) -> None:
    """Builds a pipeline and runs it.

    Raises:
        NotImplementedError: it has a step of a kind that is not known here. Exception: whatever a step raises.
    """
    pipeline = _PlainPipeline()
    build(pipeline)
    pipeline.finish()


class _Elements(PCollection):
    """The elements that a step gives, for the one step that takes them."""

    def __init__(self, pipeline: beam.Pipeline, elements: Iterable[Any]) -> None:
        super().__init__(pipeline)
        self._elements: Iterable[Any] | None = elements

    @property
    def taken(self) -> bool:
        return self._elements is None

    def take(self) -> Iterable[Any]:
        """The elements.

        Raises:
            NotImplementedError: they were taken.
        """
        if self._elements is None:
            raise NotImplementedError("two steps take the same elements; expected one: give it outputs of their own")
        elements, self._elements = self._elements, None
        return elements


class _Outputs(dict[str, _Elements]):
    """The outputs of a step by tag, as `beam.pvalue.DoOutputsTuple` gives them."""

    __getattr__ = dict.__getitem__


class _PlainPipeline(beam.Pipeline):
    runner = None

    def __init__(self) -> None:
        """Without what a pipeline of Beam's is made of: no graph is kept."""
        self._given: list[_Elements] = []

    def finish(self) -> None:
        """Draws what no step has taken, which runs the steps that end in it."""
        for elements in self._given:
            if not elements.taken:
                for _ in elements.take():
                    pass

    def apply(self, transform: Any, given: Any = None, _label: str | None = None) -> Any:
        """What a step gives: `given | transform`."""
        if isinstance(transform, _NamedPTransform):
            transform = transform.transform
        match transform:
            case beam.Create():
                return self._give(transform.values)
            case beam.Reshuffle():
                return given
            case beam.Flatten():
                return self._give(chain.from_iterable([one.take() for one in given]))
            case beam.GroupByKey():
                return self._give(_grouped(given.take()))
            case beam.CombineGlobally():
                return self._give(_combined(given.take(), transform.fn))
            case beam.ParDo():
                return self._give(_processed(given.take(), transform.fn))
            case _MultiParDo():
                return self._by_tag(given.take(), transform)
        return transform.expand(given)

    def _give(self, elements: Iterable[Any]) -> _Elements:
        given = _Elements(self, elements)
        self._given.append(given)
        return given

    def _by_tag(self, elements: Iterable[Any], step: Any) -> _Outputs:
        found: dict[str, list[Any]] = {tag: [] for tag in (step._main_tag, *step._tags)}
        for one in _processed(elements, step._do_transform.fn):
            tag, value = (one.tag, one.value) if isinstance(one, TaggedOutput) else (step._main_tag, one)
            found[tag].append(value)
        return _Outputs({tag: self._give(values) for tag, values in found.items()})


def _processed(elements: Iterable[Any], step: beam.DoFn) -> Iterator[Any]:
    """What a DoFn makes of elements, drawn one by one."""
    step.setup()
    try:
        step.start_bundle()
        for element in elements:
            yield from step.process(element) or ()
        step.finish_bundle()
    finally:
        step.teardown()


def _grouped(elements: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, list[Any]]]:
    groups: dict[Any, list[Any]] = {}
    for key, value in elements:
        groups.setdefault(key, []).append(value)
    yield from groups.items()


def _combined(elements: Iterable[Any], fn: beam.CombineFn) -> Iterator[Any]:
    accumulator = fn.create_accumulator()
    for element in elements:
        accumulator = fn.add_input(accumulator, element)
    yield fn.extract_output(accumulator)
