"""Every setting, its unit, its default and why the default is what it is.

Settings are frozen dataclasses that check themselves: a wrong value raises `SettingError`, which says the value, what
was expected and the remedy. `Settings` holds one group for each step; `KEY` on the command line is `group.name`.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas import relations
from schemas.checked_settings import Bound, Checked, SettingError, setting
from schemas.rewrite_settings import RewriteSettings

MEBI = 1 << 20


@dataclass(frozen=True)
class ReadSettings(Checked):
    """How files become records."""

    max_record_bytes: int = setting(
        10 * MEBI,
        "bytes",
        "the largest of 96 real pages has 1.5 MB and the largest of 25,000 articles 0.13 MB; a record beyond this "
        "is a mistake and would cost its neighbours memory",
        bound=Bound(1024, 1 << 30),
    )
    split_bytes: int = setting(
        16 * MEBI,
        "bytes",
        "about 5,000 articles: a second of work, so that workers share a large file evenly and a killed run "
        "redoes little",
        bound=Bound(1024, 1 << 40),
    )
    batch_bytes: int = setting(
        8 * MEBI,
        "bytes",
        "about 2,000 articles: cleaning takes 1 to 2 microseconds less for 3 kB than in batches of half of it, reading "
        "21 an article (22 with half of it, 28 with 1 MiB), and a run over 24,000 articles as much memory with either",
        bound=Bound(1024, 1 << 30),
    )
    payload_bytes: int = setting(
        4096,
        "bytes",
        "enough of a refused record to see what it was; the whole is known by its digest",
        bound=Bound(0, 1 << 24),
    )
    fields: tuple[str, ...] = setting(
        (),
        "FIELD=NAME",
        "names besides the usual aliases, looked up first (text=story_body)",
    )


@dataclass(frozen=True)
class CleanSettings(Checked):
    """How an article's text is taken out of what surrounds it."""

    level: str = setting(
        "full",
        "level",
        "off: only Unicode and white space; light: rules, and broken lines joined; full: rules and structure",
        choices=("off", "light", "full"),
    )
    min_words: int = setting(
        3,
        "words",
        "one or two words are debris of an extractor; a headline without a text stays",
        bound=Bound(0, 10_000),
    )
    max_removed_share: float = setting(
        0.8,
        "share of characters",
        "an article that would lose more is kept whole and flagged, unless 60 words of prose are left: a page is "
        "mostly menus. Before that exception .6 gave shingle F1 .778 and .8 gave .803 (scrapinghub, developers' half)",
        bound=Bound(0, 1),
    )
    disabled: tuple[str, ...] = setting(
        (),
        "rule or category",
        "no rule is switched off by default",
    )
    extraction_timeout_seconds: float = setting(
        10.0,
        "seconds a page",
        "the slowest of 96 real pages took 0.09 s of CPU, the mean is 0.03; a hundred times that is a page made "
        "to hang",
        bound=Bound(0.05, 3600),
    )


@dataclass(frozen=True)
class SignSettings(Checked):
    """What a fingerprint is. Every value is part of the store's scheme: a store of another scheme is refused."""

    shingle_words: int = setting(
        5,
        "words",
        "fixed by the contract's jaccard and containment",
        bound=Bound(5, 5),
    )
    anchor_scale: int = setting(
        8,
        "one shingle in",
        "keeps shingle hashes below 2^64/8 (scaled MinHash): 65 an article of 3.3 kB, which proposed 98-100 % of "
        "the pairs read by eye as reuse in the trials that the design quotes",
        bound=Bound(1, 1024),
    )
    min_anchors: int = setting(
        16,
        "anchors",
        "a brief of 60 words has 7 shingles below the scale, too few to meet twice: the 16 smallest are taken",
        bound=Bound(1, 1024),
    )


@dataclass(frozen=True)
class MatchSettings(Checked):
    """Which pairs are proposed, and which are accepted."""

    window_days: int = setting(
        30,
        "days",
        "wire copy is reprinted within days; a month also finds weekly supplements",
        bound=Bound(0, 36500),
    )
    min_shared_anchors: int = setting(
        2,
        "anchors",
        "one in common may be chance, a phrase of five words; the design's trials took two",
        bound=Bound(1, 64),
    )
    min_shared_share: float = setting(
        0.05,
        "share of anchors",
        "of the article with fewer; of 2,507 proposed pairs below it (labelled_in_context, developers' half) none "
        "was accepted and 39 had containment above the floor",
        bound=Bound(0, 1),
    )
    max_anchor_postings: int = setting(
        60,
        "representatives",
        "an anchor of more articles of one stretch of match.window_days is furniture or a template; left out and "
        "counted. The value of the design's trials",
        bound=Bound(2, 1_000_000),
    )
    lsh_bands: int = setting(
        16,
        "bands",
        "16 bands of 8 rows meet with probability .61 at Jaccard .7 and .99 at .85",
        bound=Bound(1, 128),
    )
    lsh_rows: int = setting(
        8,
        "rows a band",
        "see match.lsh_bands",
        bound=Bound(1, 128),
    )
    rare_days: int = setting(
        2,
        "days",
        "a shingle seen on at most this many days besides the pair's own is rare language; of 0, 1, 2, 3, 5 and 8 "
        "days, 2 and 3 gave the best F1 on both labelled sets (developers' half)",
        bound=Bound(0, 250),
    )
    outlet_texts: int = setting(
        20,
        "texts",
        "language in so many different texts of one outlet on one day is its furniture of that day (a ticker), not "
        "rare: of 1,356 outlets' days with up to 302 articles (developers' half) no shingle that is rare else is in "
        "more than 9. A store in which one source name stands for many papers wants a large number here",
        bound=Bound(2, 1_000_000),
    )
    collapse_jaccard: float = setting(
        0.7,
        "jaccard",
        "articles at least this alike are compared with others through one of them, so that a story printed by "
        "fifty papers doesn't crowd its own anchors",
        bound=Bound(0.5, 1),
    )
    copy_score: float = setting(
        0.0,
        "score",
        "the score (COPY in transforms/functions/likeness.py) from which a pair is a copy; fitted and "
        "cross-validated on the developers' half: F1 .99 and .97 on the two labelled sets",
        bound=Bound(-20, 20),
    )
    copy_containment: float = setting(
        0.4,
        "share of word 3-shingles",
        "below this no score makes a copy: the least contained of 158 copies read by eye has .404; fitted on half the "
        "articles, .3 gives 28 false links for 15 on the other, and 743 Saudi pairs without overlap for 223",
        bound=Bound(0, 1),
    )
    removal_containment: float = setting(
        0.72,
        "share of word 3-shingles",
        "an article leaves clean/ only if this much of its own text is in its keeper; one edited word in ten costs "
        ".27. Of 11,539 tied Saudi pairs 125 overlap by less than a quarter (two reports held by one that tells both), "
        "with .7 it is 156 of 11,578; from .73 on a pair of labelled_hard is falsely linked",
        bound=Bound(0, 1),
    )
    partial_containment: float = setting(
        0.2,
        "share of word 5-shingles",
        "a fifth of the text taken over is derivation",
        bound=Bound(0, 1),
    )
    partial_containment3: float = setting(
        0.3,
        "share of word 3-shingles",
        "instead of match.partial_containment: of a text with every third word edited more of these are left",
        bound=Bound(0, 1),
    )
    partial_score: float = setting(
        0.0,
        "score",
        "the score (TAKEN_OVER in transforms/functions/likeness.py) from which a pair is partial; fitted and "
        "cross-validated on the developers' half: .92 and .79 of the partial pairs found, .12-.19 and .06 of others",
        bound=Bound(-20, 20),
    )
    lead_share: float = setting(
        0.225,
        "share of the first 40 words",
        "a copy opens with what it copies, or nearly all of it is copied (match.whole_containment): of 158 copies read "
        "by eye 1 lies below both. 9 words, as datelines, 3 of 12 before, are cut; with 8 a false link came in",
        bound=Bound(0, 1),
    )
    whole_containment: float = setting(
        0.6,
        "share of word 3-shingles",
        "see match.lead_share; at .65 a second copy of the 164 would be lost",
        bound=Bound(0, 1),
    )
    piece_share: float = setting(
        0.8,
        "share of the common words",
        "where one run holds so much of what two texts share, and neither match.lead_share nor "
        "match.whole_containment is reached, it is an insert (a gallery of 859 words, a statement); no pair read as "
        "partial has more than .76",
        bound=Bound(0, 1),
    )
    brief_words: int = setting(
        30,
        "words",
        "a shorter text has under 26 shingles: one phrase more or less decides",
        bound=Bound(0, 1000),
    )
    brief_containment: float = setting(
        0.8,
        "share of word 3-shingles",
        "for texts under match.brief_words, of both sides",
        bound=Bound(0, 1),
    )
    floor_containment: float = setting(
        0.08,
        "share of word 5-shingles",
        "the least contained of 157 copies read by eye has .21; refused pairs above this are stored so that "
        "thresholds can be moved later",
        bound=Bound(0, 1),
    )
    partitions: int = setting(
        8,
        "partitions",
        "enough for 8 workers, and few enough that an article's shingles are sorted for few of them; the result "
        "does not depend on it",
        bound=Bound(1, 4096),
    )


@dataclass(frozen=True)
class RelateSettings(Checked):
    """Which article of a story stands for it, and where the others go."""

    keep: str = setting(
        "most-complete",
        "policy",
        "a reader wants the whole story; see --keep in the README",
        choices=("most-complete", "earliest", "wire-first"),
    )
    drop: tuple[str, ...] = setting(
        (relations.EXACT, relations.NEAR, relations.CONTAINED),
        "relations",
        "a copy adds nothing its keeper lacks; a partial one does",
        choices=(*relations.COPY_RELATIONS, relations.PARTIAL, relations.REWRITE),
    )


@dataclass(frozen=True)
class FurnitureSettings(Checked):
    """When a line is an outlet's furniture, learned from its articles. Only texts cleaned with `clean.level` full."""

    min_stories: int = setting(
        20,
        "stories",
        "of what rules left at the edges of 9,870 articles (allsides_en_leftover, dates not asked for) the 5 lines in "
        "20 or more stories of an outlet were all furniture by eye, of 15 in 9 to 19 two were not; of 8,656 dated wire "
        "stories the most repeated opening stands in 6",
        bound=Bound(2, 1_000_000),
    )
    min_days: int = setting(
        14,
        "days",
        "a wire sentence stood on 17 pages of a site on one day, and the openings of a running story's fact boxes on "
        "up to 6 days; two weeks are longer. Articles without a date count no day",
        bound=Bound(1, 36500),
    )
    min_share: float = setting(
        0.01,
        "share of articles",
        "of the outlet's between the line's first and last day: the rarest of the five lines found by min_stories "
        "has .017. Meant for a running story's background paragraph in a wire's whole output, which is not in the data",
        bound=Bound(0, 1),
    )
    edge_lines: int = setting(
        5,
        "lines",
        "from an article's first and last line that is not furniture itself; not tuned",
        bound=Bound(1, 1000),
    )
    edge_share: float = setting(
        0.9,
        "share of articles",
        "with the line, that have it at an edge: what stands between paragraphs as often is text; not tuned",
        bound=Bound(0, 1),
    )
    max_removed_share: float = setting(
        0.33,
        "share of the text's bytes",
        "an article that would lose more to learned lines keeps them and is flagged; not tuned",
        bound=Bound(0, 1),
    )


@dataclass(frozen=True)
class PublishSettings(Checked):
    """How the store's files are written."""

    row_group_rows: int = setting(
        10_000,
        "rows",
        "about 10 MB of compressed text at 1 kB an article: readers skip by row group in little memory",
        bound=Bound(1, 10_000_000),
    )
    zstd_level: int = setting(
        3,
        "zstd level",
        "on 20,000 articles level 1 takes 30 % less CPU than 3 and gives 18 % more bytes",
        bound=Bound(1, 22),
    )


@dataclass(frozen=True)
class RunSettings(Checked):
    """How a run behaves as a whole."""

    max_rejected_fraction: float = setting(
        1.0,
        "share of records",
        "by default a run commits whatever was refused; a scheduler sets less",
        bound=Bound(0, 1),
    )
    warn_source_copies_share: float = setting(
        0.8,
        "share of articles",
        "in copies/, of a source; in a month of news the most copied of 14 Saudi papers has .61, Reuters .35",
        bound=Bound(0, 1),
    )
    warn_source_articles: int = setting(
        50, "articles", "a source with fewer in the run is not warned of; not tuned", bound=Bound(1, 1_000_000_000)
    )
    warn_story_articles: int = setting(
        100, "articles", "the largest true story in the developers' sets has 13", bound=Bound(1, 1_000_000_000)
    )


@dataclass(frozen=True)
class Settings:
    """All settings of a run, one group a step."""

    read: ReadSettings = ReadSettings()
    clean: CleanSettings = CleanSettings()
    sign: SignSettings = SignSettings()
    match: MatchSettings = MatchSettings()
    rewrite: RewriteSettings = field(default_factory=RewriteSettings)
    relate: RelateSettings = RelateSettings()
    furniture: FurnitureSettings = FurnitureSettings()
    publish: PublishSettings = PublishSettings()
    run: RunSettings = RunSettings()

    def replace(self, given: Mapping[str, str]) -> Settings:
        """A copy with `group.name` keys set from text.

        Raises:
            SettingError: a key is unknown (the nearest known one is named) or a value is not accepted.
        """
        groups: dict[str, dict[str, Any]] = {}
        for key, text in given.items():
            spec = known_settings().get(key)
            if spec is None:
                near = difflib.get_close_matches(key, known_settings(), 1, cutoff=0.4)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise SettingError(f"unknown setting {key!r}{hint} `copydesk settings` lists them all")
            group, name = key.split(".")
            groups.setdefault(group, {})[name] = _parse(key, text, spec.type)
        changed = {group: dataclasses.replace(getattr(self, group), **values) for group, values in groups.items()}
        return dataclasses.replace(self, **changed)

    def as_dict(self) -> dict[str, Any]:
        """Every value by `group.name`, JSON-ready."""
        return {key: _plain(getattr(getattr(self, key.split(".")[0]), key.split(".")[1])) for key in known_settings()}

    def as_json(self) -> str:
        return json.dumps(self.as_dict(), sort_keys=True)


@dataclass(frozen=True)
class KnownSetting:
    """One setting as `copydesk settings` shows it."""

    key: str
    type: Any
    default: Any
    unit: str
    why: str


def known_settings() -> dict[str, KnownSetting]:
    """Every setting by its key, in the order of the steps."""
    found: dict[str, KnownSetting] = {}
    for group in dataclasses.fields(Settings):
        kind = typing.get_type_hints(Settings)[group.name]
        hints = typing.get_type_hints(kind)
        for spec in dataclasses.fields(kind):
            key = f"{group.name}.{spec.name}"
            found[key] = KnownSetting(key, hints[spec.name], spec.default, spec.metadata["unit"], spec.metadata["why"])
    return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _parse(key: str, text: str, kind: Any) -> Any:
    if typing.get_origin(kind) is tuple or isinstance(kind, types.GenericAlias):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    readers: dict[Any, Callable[[str], Any]] = {int: int, float: float, str: str}
    try:
        return readers[kind](text)
    except ValueError:
        raise SettingError(f"{key} is {text!r}; expected {_words(kind)}, for example --set {key}=1") from None


def _words(kind: Any) -> str:
    return {int: "a whole number", float: "a number", str: "text"}[kind]


def stored_settings(stored: Mapping[str, Any]) -> Settings:
    """The settings that a manifest keeps; those that this program doesn't know any more are left out.

    Raises:
        SettingError: a stored value is one that this program doesn't accept.
    """
    known = known_settings()
    return Settings().replace(
        {
            key: ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            for key, value in stored.items()
            if key in known
        }
    )


def parse_assignments(pairs: Iterable[str]) -> dict[str, str]:
    """`KEY=VALUE` texts as a mapping.

    Raises:
        SettingError: a text has no `=`.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign:
            raise SettingError(f"--set got {pair!r}; expected KEY=VALUE, for example --set clean.level=light")
        found[key.strip()] = value.strip()
    return found
