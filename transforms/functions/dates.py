"""Publication dates, as newspapers and programs write them, into UTC timestamps, a column at a time."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.tables import TIMESTAMP
from transforms.functions.date_words import DAY_PARTS, MONTHS, PASSED_OVER, PHRASES, ZONE_MINUTES

EXAMPLES = "2015-07-21, 2015-07-21T15:04:00+03:00, 1437491040, Tue, 21 Jul 2015 15:04:00 GMT, July 21, 2015 3:04 PM"
"""Accepted forms, for messages."""

FIRST_YEAR, LAST_YEAR = 1600, 2200
"""Newspapers begin in 1605; a date outside is a mistake (or another calendar)."""

LONGEST_DATE = 80
"""Characters tried by the slow ways; the longest form listed in the tests has 39."""

_TIME = (
    r"(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d{2}))?(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
    r"\s*\(?(?P<zone>[Zz]|[A-Za-z]{2,5}|(?:UTC|GMT)?[+\-\x{2212}]\d{1,2}:?(?:\d{2})?)?\)?(?:\s*\([A-Za-z ]{2,40}\))?"
)
_LATER_TIME = rf"(?:(?:\s*[,T|\-\x{{2013}}\x{{2014}}]\s*|\s+)(?:at\s+)?{_TIME})?$"
_WEEKDAY = r"^(?:(?:[Mm]on|[Tt]ue|[Ww]ed|[Tt]hu|[Ff]ri|[Ss]at|[Ss]un)[a-z]*\.?,?\s+)?"
_MONTH = r"(?P<month>\pL{3,12})\.?"
_FORMS = (
    rf"^(?P<year>\d{{4}})-(?P<month>\d{{1,2}})-(?P<day>\d{{1,2}})(?:(?:[Tt]|\s+){_TIME})?$",
    r"^[A-Z][a-z]+,? (?P<month>[A-Z][a-z]+) (?P<day>\d{1,2}), (?P<year>\d{4}) (?P<hour>\d{1,2}):(?P<minute>\d\d)"
    r"(?P<half>[ap]m)(?: (?P<zone>[A-Z]{2,4}))?$",
    r"^[A-Z][a-z]{2}, (?P<day>\d{1,2}) (?P<month>[A-Z][a-z]{2}) (?P<year>\d{4})"
    r" (?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2}) (?P<zone>[A-Z]{1,4}|[+-]\d{4})$",
    rf"{_WEEKDAY}{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}}){_LATER_TIME}",
    rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[.,]?(?:\s+|-|/){_MONTH},?(?:\s+|-|/)(?P<year>\d{{4}}){_LATER_TIME}",
    rf"{_WEEKDAY}(?P<year>\d{{4}})[/.](?P<month>\d{{1,2}})[/.](?P<day>\d{{1,2}}){_LATER_TIME}",
    rf"{_WEEKDAY}(?P<day>\d{{1,2}})\.\s?(?P<month>\d{{1,2}})\.\s?(?P<year>\d{{4}}){_LATER_TIME}",
    rf"{_WEEKDAY}(?P<first>\d{{1,2}})[/-](?P<second_part>\d{{1,2}})[/-](?P<year>\d{{4}}){_LATER_TIME}",
    rf"{_WEEKDAY}{_MONTH}\s+(?P<day>\d{{1,2}})\s+(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}}):(?P<second>\d{{2}})"
    r"(?:\s+(?P<zone>[A-Z]{3,5}))?\s+(?P<year>\d{4})$",
    r"^(?P<year>(?:1[6-9]|2[01])\d{2})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])"
    r"(?:[Tt]?(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})(?P<zone>[Zz]|[+-]\d{2}:?\d{2})?)?$",
)
"""RE2 patterns, tried one after the other on what is left. The first three (the usual ways of programs, of Reuters and
of RFC 2822) are of the kind that RE2 matches in one pass: 1 to 2 microseconds a date, above 10 for the others."""

_EPOCH = r"^[+-]?\d{1,19}(?:\.\d+)?$"
_BARE_YEAR = r"^\d{4}$"
_MICROSECONDS_A_DAY = 86_400_000_000
_NO_ZONE = -(1 << 30)

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def parse_dates(values: pa.StringArray) -> tuple[pa.TimestampArray, pa.BooleanArray]:
    """Timestamps (microseconds, UTC) of dates as given, and a mask of those that could not be read.

    ISO 8601, epoch seconds to nanoseconds (told by magnitude), and the forms of mails and newspapers in the languages
    of `date_words`. Without a zone UTC is taken. 07/08/2015 is July, 25/07/2015 can only be July too. Null, empty and
    a bare year (too coarse to place) give null and are not bad; words like "yesterday", a month without a day, other
    calendars, and years before 1600 or after 2200 are bad.
    """
    rows = len(values)
    out = np.zeros(rows, np.int64)
    known = np.zeros(rows, np.bool_)
    tidy = pc.utf8_trim_whitespace(values)
    empty = pc.fill_null(pc.equal(pc.binary_length(tidy), 0), True)
    coarse = pc.fill_null(pc.match_substring_regex(tidy, _BARE_YEAR), False)
    left = np.flatnonzero(~np.asarray(pc.or_(empty, coarse)))
    wanted = np.zeros(rows, np.bool_)
    wanted[left] = True
    left = _match_forms(tidy, left, out, known)
    left = _match_epochs(tidy, left, out, known)
    if len(left):
        _match_slowly(tidy, left, out, known)
    bad = wanted & ~known
    return pa.array(out, pa.int64(), mask=~known).cast(TIMESTAMP), pa.array(bad)


def in_range(timestamps: pa.TimestampArray) -> pa.BooleanArray:
    """Which timestamps (us, UTC) a newspaper can have; null for null."""
    low = _epoch_days(np.array([FIRST_YEAR]), np.array([1]), np.array([1]))[0] * _MICROSECONDS_A_DAY
    high = _epoch_days(np.array([LAST_YEAR + 1]), np.array([1]), np.array([1]))[0] * _MICROSECONDS_A_DAY
    number = pc.cast(timestamps, pa.int64())
    return pc.and_(pc.greater_equal(number, int(low)), pc.less(number, int(high)))


def _match_forms(tidy: pa.StringArray, left: Ints, out: Ints, known: Bools) -> Ints:
    """Fills in what the forms match and returns the rows that none does."""
    for form in _FORMS:
        if not len(left):
            break
        column = tidy if len(left) == len(tidy) else tidy.take(pa.array(left))
        parts = pc.extract_regex(column, form)
        hit = ~np.asarray(parts.is_null())
        if not hit.any():
            continue
        found = parts if hit.all() else parts.filter(pa.array(hit))
        micros, good = _assemble({field.name: found.field(i) for i, field in enumerate(found.type)})
        rows = left[hit]
        out[rows[good]] = micros[good]
        known[rows[good]] = True
        left = np.sort(np.concatenate([left[~hit], rows[~good]]))
    return left


def _assemble(parts: dict[str, pa.StringArray]) -> tuple[Ints, Bools]:
    """Microseconds since 1970 UTC and which rows are real dates, from the named parts of a form."""
    year = _number(parts["year"])
    if "first" in parts:  # 07/08/2015: month first, as in the US, unless that is no month
        first, second = _number(parts["first"]), _number(parts["second_part"])
        swapped = (first > 12) & (second <= 12)
        month, day = np.where(swapped, second, first), np.where(swapped, first, second)
    else:
        month, day = _month(parts["month"]), _number(parts["day"])
    rows = len(year)
    nothing = np.zeros(rows, np.int64)
    hour, minute, second = (_number(parts[name]) if name in parts else nothing for name in ("hour", "minute", "second"))
    micro = _fraction(parts["fraction"]) if "fraction" in parts else nothing
    good = (year >= FIRST_YEAR) & (year <= LAST_YEAR) & (month >= 1) & (month <= 12) & (day >= 1)
    good &= (hour < 24) & (minute < 60) & (second < 61)
    if "half" in parts:
        half = pc.fill_null(pc.ascii_lower(pc.utf8_slice_codeunits(parts["half"], 0, 1)), "")
        morning, evening = np.asarray(pc.equal(half, "a")), np.asarray(pc.equal(half, "p"))
        good &= ~(morning | evening) | (hour <= 23)
        hour = np.where(evening & (hour < 12), hour + 12, np.where(morning & (hour == 12), 0, hour))
    if "hour" in parts and "half" in parts and "minute" in parts:  # a number alone is no time of day: "…2015 7"
        alone = np.asarray(pc.equal(pc.binary_length(parts["minute"]), 0))
        given = np.asarray(pc.greater(pc.binary_length(parts["hour"]), 0))
        good &= ~(given & alone & ~(morning | evening))
    safe_month = np.clip(month, 1, 12)
    good &= day <= _month_days(year, safe_month)
    days = _epoch_days(year, safe_month, day)
    offset = _zone(parts["zone"], year, days) if "zone" in parts else nothing
    good &= offset != _NO_ZONE
    seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset * 60
    return seconds * 1_000_000 + micro, good


def _number(column: pa.StringArray) -> Ints:
    filled = pc.if_else(pc.equal(pc.binary_length(column), 0), "0", column)
    return np.asarray(pc.cast(filled, pa.int64()))


def _fraction(column: pa.StringArray) -> Ints:
    padded = pc.utf8_rpad(pc.utf8_slice_codeunits(column, 0, 6), 6, "0")
    return np.asarray(pc.cast(padded, pa.int64()))


def _month(column: pa.StringArray) -> Ints:
    return _by_distinct(column, _month_number)


def _month_number(word: str) -> int:
    return int(word) if word.isascii() and word.isdigit() else MONTHS.get(_plain(word), 0)


def _zone(column: pa.StringArray, year: Ints, days: Ints) -> Ints:
    minutes = _by_distinct(column, _zone_minutes)
    seasonal = np.asarray(pc.is_in(pc.ascii_upper(column), value_set=pa.array(["ET", "CT", "MT", "PT"])))
    if seasonal.any():
        minutes = minutes + 60 * (seasonal & _us_summer(year, days))
    return minutes


def _us_summer(year: Ints, days: Ints) -> Bools:
    """Second Sunday of March to first Sunday of November (the rule since 2007), by the day."""
    one = np.ones_like(year)
    march, november = _epoch_days(year, 3 * one, 8 * one), _epoch_days(year, 11 * one, one)
    start, end = (first + (3 - first) % 7 for first in (march, november))  # day 3 of 1970 was a Sunday
    return (days >= start) & (days < end)


def _zone_minutes(zone: str) -> int:
    """Minutes east of UTC; `_NO_ZONE` for an unknown name."""
    if not zone:
        return 0
    name = zone.upper().replace("−", "-")
    if name in ZONE_MINUTES:
        return ZONE_MINUTES[name]
    found = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?", name)
    if not found:
        return _NO_ZONE
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    if minutes > 18 * 60:
        return _NO_ZONE
    return -minutes if found[1] == "-" else minutes


def _by_distinct(column: pa.StringArray, value_of: Any) -> Ints:
    """`value_of` each distinct string, spread over the column."""
    coded = pc.dictionary_encode(column)
    values = np.array([value_of(word) for word in coded.dictionary.to_pylist()], np.int64)
    return values[np.asarray(coded.indices)]


_DAYS_IN_MONTH = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)


def _month_days(year: Ints, month: Ints) -> Ints:
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    return _DAYS_IN_MONTH[month] + (leap & (month == 2))


def _epoch_days(year: Ints, month: Ints, day: Ints) -> Ints:
    """Days since 1970-01-01 in the Gregorian calendar."""
    months = (year - 1970) * 12 + month - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return first + day - 1


def _match_epochs(tidy: pa.StringArray, left: Ints, out: Ints, known: Bools) -> Ints:
    """Fills in numbers: seconds below 10^11 (the year 5138), then milli-, micro- and nanoseconds by thousands."""
    if not len(left):
        return left
    column = tidy.take(pa.array(left))
    hit = np.asarray(pc.match_substring_regex(column, _EPOCH))
    if not hit.any():
        return left
    number = np.asarray(pc.cast(column.filter(pa.array(hit)), pa.float64()))
    size = np.abs(number)
    per_unit = np.select([size < 1e11, size < 1e14, size < 1e17], [1e6, 1e3, 1.0], 1e-3)
    micros = number * per_unit
    low, high = (
        float(_epoch_days(*(np.array([n]) for n in (y, 1, 1)))[0]) * _MICROSECONDS_A_DAY
        for y in (FIRST_YEAR, LAST_YEAR + 1)
    )
    good = (micros >= low) & (micros < high)
    rows = left[hit]
    out[rows[good]] = np.rint(micros[good]).astype(np.int64)
    known[rows[good]] = True
    return left[~hit]  # a number out of range is bad: no other way will read it


def _match_slowly(tidy: pa.StringArray, left: Ints, out: Ints, known: Bools) -> None:
    """Reads distinct values that no form matched: their words put into English first, then by dateparser."""
    coded = pc.dictionary_encode(tidy.take(pa.array(left)))
    given: list[str] = coded.dictionary.to_pylist()
    english = pa.array([_in_english(value) if len(value) <= LONGEST_DATE else "" for value in given], pa.string())
    micros, fine = np.zeros(len(given), np.int64), np.zeros(len(given), np.bool_)
    for at in _match_forms(english, np.arange(len(given)), micros, fine):
        moment = _by_dateparser(given[at]) if english[at].as_py() else None
        if moment is not None:
            micros[at], fine[at] = moment, True
    codes = np.asarray(coded.indices)
    out[left] = micros[codes]
    known[left] = fine[codes]


def _plain(word: str) -> str:
    """A word without case and accents, as the tables of `date_words` have it."""
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).rstrip(".")


_WORD = re.compile(r"[^\W\d_]+\.?")
_EVENING = re.compile(r"(\d:\d\d)\s*م(?!\w)")
"""After a time م is "pm"; after a year it means AD."""
_MARKS = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\u0640\ufeff]")


def _in_english(value: str) -> str:
    """`value` with digits and month names in English form, and weekdays and small words left out."""
    text = unicodedata.normalize("NFKC", _MARKS.sub("", value)).replace("،", ",")
    text = "".join(str(unicodedata.digit(sign)) if sign.isdigit() else sign for sign in text)
    folded = _EVENING.sub(r"\1 PM", " ".join(text.split()))
    for phrase, month in PHRASES:
        folded = folded.replace(phrase, f" {month} ")

    def english(found: re.Match[str]) -> str:
        word = _plain(found[0])
        if word in MONTHS:
            return _ENGLISH_MONTHS[MONTHS[word] - 1] + " "
        if word in DAY_PARTS:
            return DAY_PARTS[word]
        return " " if word in PASSED_OVER else found[0]

    spaced = re.sub(r"(\d{1,2})\.\s+(?=[^\W\d_])", r"\1 ", folded)
    written = " ".join(_WORD.sub(english, spaced).split())
    written = re.sub(r"(?<=[A-Za-z])\s+,", ",", written)
    written = re.sub(r"\s*[|–—-]\s+(?=\d{1,2}:)", " ", written)
    return re.sub(r"^[\s,/|-]+|[\s,/|-]+$", "", written)


_ENGLISH_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LANGUAGES = [
    "en",
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "sv",
    "da",
    "nb",
    "fi",
    "pl",
    "cs",
    "ru",
    "uk",
    "tr",
    "el",
    "he",
    "ar",
    "fa",
    "ja",
    "zh",
    "ko",
]
_WRITTEN_YEAR = re.compile(r"(?<!\d)(?:1[6-9]|2[01])\d\d(?!\d)")
_LETTER = re.compile(r"[^\W\d_]")
_WRITTEN_DAY = re.compile(r"(?<!\d)(?:0?[1-9]|[12]\d|3[01])(?!\d)")


def _by_dateparser(value: str) -> int | None:
    """Microseconds since 1970, or None: the last resort, for languages without words of ours."""
    digits = "".join(str(unicodedata.digit(sign)) if sign.isdigit() else sign for sign in value)
    year = _WRITTEN_YEAR.search(digits)
    if not year or not _LETTER.search(digits) or not _WRITTEN_DAY.search(digits):
        return None
    import dateparser  # takes a second, and most runs never need it

    settings = {
        "PARSERS": ["absolute-time"],
        "REQUIRE_PARTS": ["day", "month", "year"],
        "RELATIVE_BASE": datetime(2000, 1, 1),
        "TIMEZONE": "UTC",
        "RETURN_AS_TIMEZONE_AWARE": True,
        "DATE_ORDER": "MDY",
    }
    try:
        moment = dateparser.parse(digits, languages=_LANGUAGES, settings=settings)
    except (ValueError, OverflowError, TypeError, IndexError, AttributeError, re.error):
        return None  # a value that no rule of the library's foresaw is a date that could not be read
    if moment is None or not FIRST_YEAR <= moment.year <= LAST_YEAR or str(moment.year) != year[0]:
        return None
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000 + moment.microsecond
