"""Made-up news in English and Arabic, as much of it as is wanted: a grammar over vocabularies, and names of its own.

Common words are drawn often and rare ones seldom (as in news), a story keeps to its own few people, places and bodies,
and phrases of the trade ("said in a statement on") come back in all of them. The same seed gives the same story.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_LISTS = tomllib.loads(Path(__file__).with_name("vocabulary.toml").read_text(encoding="utf-8"))
WORDS: dict[str, dict[str, list[str]]] = {
    language: {name: [word.replace("-", " ") for word in words.split()] for name, words in lists.items()}
    for language, lists in _LISTS.items()
}
LANGUAGES = ("en", "ar")
PAPERS = {
    language: [
        f"{masthead} {town}" if language == "ar" else f"{town} {masthead}"
        for masthead in WORDS[language]["mastheads"]
        for town in WORDS[language]["towns"]
    ]
    for language in LANGUAGES
}


@dataclass(frozen=True)
class Story:
    """A headline and its paragraphs."""

    title: str
    paragraphs: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.paragraphs)


class Reporter:
    """Writes one story: its seed decides what about, and all the words."""

    def __init__(self, language: str, seed: str) -> None:
        self.language, self.words = language, WORDS[language]
        self.chance = random.Random(f"{language} {seed}")
        self.places = [self.name() for _ in range(3)]
        self.people = [f"{self.chance.choice(self.words['first'])} {self.name()}" for _ in range(6)]
        bodies = [self.pick("bodies") for _ in range(4)]
        self.bodies = [f"{body} {self.name()}" if language == "ar" else f"{self.name()} {body}" for body in bodies]

    def pick(self, name: str) -> str:
        """A word of a list; the first ones come up most."""
        words = self.words[name]
        return words[int(len(words) * self.chance.random() ** 1.7)]

    def name(self) -> str:
        onset, vowel, coda = (self.words[name] for name in ("onsets", "vowels", "codas"))
        choose = self.chance.choice
        made = "".join(choose(onset) + choose(vowel) for _ in range(self.chance.choice((1, 2)))) + choose(coda)
        return f"ال{made}" if self.language == "ar" else made.capitalize()

    def number(self) -> str:
        return str(self.chance.choice((self.chance.randint(2, 99), self.chance.randint(100, 9900))))

    def thing(self) -> str:
        noun, adjective, chance = self.pick("nouns"), self.pick("adjectives"), self.chance.random()
        if self.language == "ar":
            return noun if chance < 0.3 else f"{noun} {adjective}"
        if chance < 0.25:
            return f"{self.chance.choice(('the', 'its', 'their'))} {noun}"
        return f"{self.chance.choice(('the', 'a', 'another', 'every'))} {adjective} {noun}".replace("a a", "an a")

    def subject(self) -> str:
        chance = self.chance.random()
        if chance < 0.35:
            return self.chance.choice(self.bodies)
        if chance < 0.6:
            return self.thing()
        person = self.chance.choice(self.people)
        if chance < 0.8:
            return person
        role, body = self.pick("roles"), self.chance.choice(self.bodies)
        return f"{role} {body} {person}" if self.language == "ar" else f"{person}, {role} of {body},"

    def place(self) -> str:
        return self.chance.choice(self.places)

    def act(self) -> str:
        """A verb with what it acts on, and often where, when or why."""
        arabic, chance = self.language == "ar", self.chance.random()
        said = f"{self.pick('verbs')} {self.thing()}"
        if chance < 0.2:
            return f"{said} {'في' if arabic else 'in'} {self.place()}"
        if chance < 0.35:
            return f"{said} {'يوم' if arabic else 'on'} {self.pick('days')}"
        if chance < 0.5:
            count = f"{self.number()} {self.pick('units')}"
            return f"{said} {'بما يشمل' if arabic else 'worth'} {count}"
        if chance < 0.6:
            return f"{said} {self.pick('adverbs')}"
        if chance < 0.8:
            return f"{said} {'بعد أن' if arabic else 'after'} {self.event()}"
        return said

    def event(self) -> str:
        if self.language == "ar":
            return f"{self.pick('verbs')} {self.subject()} {self.thing()} في {self.place()}"
        return f"{self.subject()} {self.pick('verbs')} {self.thing()} in {self.place()}"

    def sentence(self) -> str:
        return self.chance.choice(_SENTENCES[self.language])(self)

    def paragraph(self) -> str:
        return " ".join(self.sentence() for _ in range(self.chance.choice((1, 2, 2, 3))))

    def story(self, words: int) -> Story:
        """A story of about so many words: whole sentences, within a dozen words of it."""
        title = f"{self.act()} - {self.place()}" if self.language == "ar" else f"{self.place()}: {self.act()}"
        paragraphs: list[str] = []
        left = words
        while left > 8:
            paragraph = self.paragraph().split()
            while len(paragraph) > left + 12:
                paragraph = self.sentence().split()
            paragraphs.append(" ".join(paragraph))
            left -= len(paragraph)
        return Story(title, tuple(paragraphs))


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


Sentence = Callable[[Reporter], str]
_SENTENCES: dict[str, list[Sentence]] = {
    "en": [
        lambda r: f"{_capital(r.subject())} {r.act()}, {r.chance.choice(r.bodies)} said on {r.pick('days')}.",
        lambda r: f"{_capital(r.subject())} {r.act()}.",
        lambda r: f"{_capital(r.subject())} {r.act()}, while {r.event()}.",
        lambda r: f'"{_capital(r.event())} and {r.event()}," said {r.chance.choice(r.people)}.',
        lambda r: f"According to {r.chance.choice(r.bodies)}, {r.event()} and {r.act()}.",
        lambda r: f"At least {r.number()} {r.pick('units')} were counted before {r.event()}.",
        lambda r: f"It was not immediately clear why {r.event()}.",
        lambda r: f"{_capital(r.thing())} that {r.pick('verbs')} {r.thing()} has {r.act()}, despite {r.thing()}.",
        lambda r: f"Last year {r.event()}, compared with {r.number()} {r.pick('units')} the year before.",
        lambda r: f"{r.chance.choice(r.people)} told reporters in {r.place()} that {r.event()}.",
    ],
    "ar": [
        lambda r: f"{r.pick('verbs')} {r.subject()} {r.thing()} في {r.place()}، بحسب {r.chance.choice(r.bodies)}.",
        lambda r: f"وقال {r.chance.choice(r.people)} في تصريح للصحفيين إن {r.subject()} {r.act()}.",
        lambda r: f"وأضاف {r.subject()} أن {r.subject()} {r.act()}، فيما {r.event()}.",
        lambda r: f"وأوضح المصدر أن {r.subject()} {r.act()} خلال {r.number()} يوما.",
        lambda r: f"وكان {r.subject()} {r.act()} قبل أن {r.event()}.",
        lambda r: f'وذكر {r.chance.choice(r.people)}: "{r.event()} و{r.event()}".',
        lambda r: f"وبلغ العدد {r.number()} {r.pick('units')} مقابل {r.number()} في العام الماضي، بينما {r.event()}.",
        lambda r: f"ومن المقرر أن {r.event()} يوم {r.pick('days')} المقبل.",
        lambda r: f"ولم يتضح بعد سبب {r.thing()} الذي {r.act()}.",
    ],
}


def story(language: str, seed: str, words: int) -> Story:
    """The story of a seed: about so many words, the same every time."""
    return Reporter(language, seed).story(words)
