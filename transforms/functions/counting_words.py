"""Words that stand for a number or a date: what a template changes from one day to the next."""

from __future__ import annotations

import functools

import numpy as np
import pyarrow as pa

from transforms.functions.date_words import MONTHS, WEEKDAYS
from transforms.functions.shingling import WordHashes, hash_words

_NUMBER_WORDS = """
one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion trillion dozen half
first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth once twice
واحد واحدة اثنان اثنين اثنتان اثنتين ثلاثة ثلاث أربعة أربع خمسة خمس ستة ست سبعة سبع ثمانية ثمان ثماني تسعة تسع عشرة عشر
عشرين عشرون ثلاثين ثلاثون أربعين أربعون خمسين خمسون ستين ستون سبعين سبعون ثمانين ثمانون تسعين تسعون مئة مائة مئتين
مائتين مئات ألف ألفي ألفين آلاف مليون مليوني ملايين مليار ملياري مليارات نصف ثلث ربع
الأول الأولى الثاني الثانية الثالث الثالثة الرابع الرابعة الخامس الخامسة السادس السادسة السابع السابعة الثامن الثامنة
التاسع التاسعة العاشر العاشرة
eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf zwanzig dreißig hundert tausend millionen milliarden
deux trois quatre cinq sept huit neuf dix onze douze vingt trente cent cents mille millions milliards
dos tres cuatro cinco seis siete ocho nueve diez once doce veinte treinta cien mil millones
due tre quattro cinque sei sette otto nove dieci venti trenta cento mila milioni miliardi
dois três quatro sete oito dez vinte trinta cem milhões
один два три четыре пять шесть семь восемь девять десять двадцать тридцать сто тысяч миллионов миллиардов
bir iki üç dört beş altı yedi sekiz dokuz on yirmi otuz yüz bin milyon milyar
یک دو سه چهار پنج شش هفت هشت نه ده بیست سی صد هزار میلیون میلیارد
"""

_SHORTEST = 4
"""Shorter names of days and months (so, do, mar, set) are other words too often."""


@functools.cache
def counting_words() -> WordHashes:
    """The hashes of all such words, folded as texts are: uint32[n], ascending."""
    words = _NUMBER_WORDS.split() + [name for name in (*MONTHS, *WEEKDAYS) if len(name) >= _SHORTEST]
    hashes, _ = hash_words(pa.array([" ".join(words)]))
    return np.unique(hashes)
