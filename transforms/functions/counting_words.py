"""Words that stand for a number or a date: what a template changes from one day to the next."""

from __future__ import annotations

import functools

import numpy as np
import pyarrow as pa

from transforms.functions.date_words import MONTHS, WEEKDAYS
from transforms.functions.shingling import WordHashes, hash_words

_NUMBER_WORDS = """
1 one first once واحد واحدة الأول الأولى eins один bir یک
2 two second twice اثنان اثنين اثنتان اثنتين الثاني الثانية zwei deux dos due dois два iki دو
3 three third ثلاثة ثلاث الثالث الثالثة drei trois tres tre três три üç سه
4 four fourth أربعة أربع الرابع الرابعة vier quatre cuatro quattro quatro четыре dört چهار
5 five fifth خمسة خمس الخامس الخامسة fünf cinq cinco cinque пять beş پنج
6 six sixth ستة ست السادس السادسة sechs seis sei шесть altı شش
7 seven seventh سبعة سبع السابع السابعة sieben sept siete sette sete семь yedi هفت
8 eight eighth ثمانية ثمان ثماني الثامن الثامنة acht huit ocho otto oito восемь sekiz هشت
9 nine ninth تسعة تسع التاسع التاسعة neun neuf nueve nove девять dokuz نه
10 ten tenth عشرة عشر العاشر العاشرة zehn dix diez dieci dez десять ده
11 eleven eleventh elf onze once
12 twelve twelfth dozen zwölf douze doce
13 thirteen
14 fourteen
15 fifteen
16 sixteen
17 seventeen
18 eighteen
19 nineteen
20 twenty عشرين عشرون zwanzig vingt veinte venti vinte двадцать yirmi بیست
30 thirty ثلاثين ثلاثون dreißig trente treinta trenta trinta тридцать otuz سی
40 forty أربعين أربعون
50 fifty خمسين خمسون
60 sixty ستين ستون
70 seventy سبعين سبعون
80 eighty ثمانين ثمانون
90 ninety تسعين تسعون
100 hundred مئة مائة مئات hundert cent cents cien cento cem сто yüz صد
200 مئتين مائتين
thousand ألف آلاف tausend mille mil mila тысяч bin هزار
2000 ألفي ألفين
million مليون ملايين millionen millions millones milioni milhões миллионов milyon میلیون
2000000 مليوني
billion مليار مليارات milliarden milliards miliardi миллиардов milyar میلیارد
2000000000 ملياري
trillion
half نصف
ثلث
ربع
"""
"""A line a value: what it starts with stands for all of it. Of a word with two (once, in English and Spanish) the first
line counts. The Turkish ten (on) is left out: it is an English word in every other line.
"""

_SHORTEST = 4
"""Shorter names of days and months (so, do, mar, set) are other words too often."""


@functools.cache
def counting_words() -> tuple[WordHashes, WordHashes]:
    """All such words, folded as texts are: their hashes, uint32[n] ascending, and those of what each stands for."""
    same = [(word, line.split()[0]) for line in _NUMBER_WORDS.strip().split("\n") for word in line.split()]
    same += [(name, name) for name in (*MONTHS, *WEEKDAYS) if len(name) >= _SHORTEST]
    words, values = (hash_words(pa.array([" ".join(side)]))[0] for side in zip(*same, strict=True))
    hashes, first = np.unique(words, return_index=True)
    return hashes, values[first]
