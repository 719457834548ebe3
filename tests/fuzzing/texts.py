"""Texts made to harm what cleans them, by number."""

from __future__ import annotations

import random

import pyarrow as pa

from schemas.tables import RAW
from tests.fuzzing.cases import TOKENS, bases
from transforms.functions.records import one_line

LARGEST_CHARACTERS = 200_000


def make_texts(number: int) -> pa.RecordBatch:
    """RAW, one to five rows: lines of seeds among harmful tokens, random letters, and one thing many times."""
    chance = random.Random(-1 - number)
    rows = [
        {
            "article_id": f"{number * 8 + row:032x}",
            "source_uri": "texts.jsonl",
            "position": row,
            "title": _text(chance, 2) if chance.random() < 0.8 else None,
            "source": _text(chance, 1)[:80] if chance.random() < 0.5 else None,
            "language": chance.choice([None, "en", "ar", "x-none"]),
            "text": _text(chance, chance.choice([1, 3, 10, 40])),
        }
        for row in range(chance.randint(1, 5))
    ]
    columns = {name: pa.array([row.get(name) for row in rows], RAW.field(name).type) for name in RAW.names}
    columns |= {name: one_line(columns[name]) for name in ("title", "source")}  # as the readers give them
    return pa.RecordBatch.from_arrays([columns[name] for name in RAW.names], schema=RAW)


def _text(chance: random.Random, pieces: int) -> str:
    made = "".join(_piece(chance) + chance.choice(["", " ", "\n", "\n\n", "\r\n", "\u2028"]) for _ in range(pieces))
    return (made or "x")[:LARGEST_CHARACTERS]


def _piece(chance: random.Random) -> str:
    kind = chance.randrange(5)
    if kind == 0:
        return chance.choice(TOKENS).decode(errors="replace")
    if kind == 1:
        return chance.choice(TOKENS).decode(errors="replace") * chance.choice([1, 10, 100])
    if kind == 2:
        return "".join(chr(_code_point(chance)) for _ in range(chance.choice([1, 20, 400])))
    if kind == 3:
        return chr(_code_point(chance)) * chance.choice([1, 1000, 30_000])
    form, content = chance.choice(bases())
    lines = content.decode(errors="replace").splitlines() or [form]
    start = chance.randrange(len(lines))
    return "\n".join(lines[start : start + chance.randint(1, 8)])


def _code_point(chance: random.Random) -> int:
    low, high = chance.choice(
        [(0, 0x20), (0x20, 0x7F), (0x80, 0xFF), (0x300, 0x36F), (0x600, 0x6FF), (0x2000, 0x206F), (0xE000, 0xE0FF),
         (0xFB50, 0xFEFF), (0xFFF0, 0xFFFF), (0x1F300, 0x1FAFF), (0xE0000, 0xE01EF), (0x10FF00, 0x10FFFF)]
    )  # fmt: skip
    return chance.randint(low, high)
