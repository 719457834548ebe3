"""The spelling variants of Arabic newspapers, put into any text: each changes letters and leaves the reading alone."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable

from tests.seeds_build import shaped

Respell = Callable[[str, random.Random], str]

LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهويىةأإآؤئ"
JOINING = "بتثجحخسشصضطظعغفقكلمنهي"
MARKS = "ًٌٍَُِّْٰ"


def _sometimes(pattern: str, share: float, replace: Callable[[str], str]) -> Respell:
    def respell(text: str, chance: random.Random) -> str:
        return re.sub(pattern, lambda found: replace(found[0]) if chance.random() < share else found[0], text)

    return respell


def _table(pairs: str) -> Callable[[str], str]:
    table = dict(pair.split(">") for pair in pairs.split())
    return table.__getitem__


def _after(signs: str, share: float, where: str) -> Respell:
    def respell(text: str, chance: random.Random) -> str:
        return re.sub(
            f"[{where}]", lambda found: found[0] + (chance.choice(signs) if chance.random() < share else ""), text
        )

    return respell


def _tatweel(text: str, chance: random.Random) -> str:
    return re.sub(
        f"(?<=[{JOINING}])(?=[{LETTERS}])", lambda _: "ـ" * chance.randint(1, 4) if chance.random() < 0.2 else "", text
    )


def _shaped(text: str, _: random.Random) -> str:
    return shaped(text)


def _shaped_with_marks(text: str, chance: random.Random) -> str:
    return re.sub("[\ufe80-\ufefc]", lambda found: found[0] + chance.choice(("", "", "\ufe76", "\ufe7c")), shaped(text))


VARIANTS: dict[str, Respell] = {
    "tatweel": _tatweel,
    "alef maqsura for final ya": _sometimes(r"ي\b", 0.7, _table("ي>ى")),
    "ya for final alef maqsura": _sometimes(r"ى\b", 0.7, _table("ى>ي")),
    "ha for ta marbuta": _sometimes(r"ة\b", 0.7, _table("ة>ه")),
    "ta marbuta for final ha": _sometimes(r"ه\b", 0.3, _table("ه>ة")),
    "no hamza on or under alef": _sometimes("[أإآ]", 0.8, _table("أ>ا إ>ا آ>ا")),
    "hamza on alef where none was": _sometimes(r"\bا", 0.3, _table("ا>أ")),
    "hamza typed as a mark": _sometimes("[أإآؤئ]", 0.8, lambda one: unicodedata.normalize("NFD", one)),
    "alef wasla": _sometimes(r"\bا", 0.5, _table("ا>ٱ")),
    "no hamza on waw and ya": _sometimes("[ؤئ]", 0.8, _table("ؤ>و ئ>ي")),
    "vowel marks": _after(MARKS, 0.5, LETTERS),
    "direction marks": _after("\u200f\u200e\u202b\u202c\u2067\u2069\u061c", 0.3, LETTERS + " 0-9،."),
    "zero-width joiners": _after("\u200c\u200d\ufeff\u00ad", 0.2, LETTERS),
    "presentation forms": _shaped,
    "presentation forms with marks": _shaped_with_marks,
    "Farsi ya and kaf": _sometimes("[يك]", 0.8, _table("ي>ی ك>ک")),
    "Arabic-Indic digits": _sometimes("[0-9]", 1.0, lambda one: chr(0x660 + int(one))),
    "extended Arabic-Indic digits": _sometimes("[0-9]", 1.0, lambda one: chr(0x6F0 + int(one))),
    "punctuation": _sometimes("[،؛؟\".:]", 0.7, lambda _: " ,;?»«“”…!"),
    "no-break spaces and line ends": _sometimes(" ", 0.5, lambda _: "\u00a0\n "),
}  # fmt: skip


def respelled_in_all_ways(text: str, chance: random.Random) -> str:
    """Every variant one after another; presentation forms last, for they are what the others look for."""
    for name, respell in VARIANTS.items():
        if not name.startswith("presentation"):
            text = respell(text, chance)
    return shaped(text)
