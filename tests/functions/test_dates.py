"""Dates: every accepted form to the microsecond, and what must not be guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.functions.dates import parse_dates

DAY = datetime(2015, 7, 21, tzinfo=UTC)
TIME = datetime(2015, 7, 21, 15, 4, tzinfo=UTC)

ACCEPTED = {
    "2015-07-21": DAY,
    "  2015-07-21T15:04:00Z ": TIME,
    "2015-07-21T18:04:00+03:00": TIME,
    "2015-07-21T18:04:00+0300": TIME,
    "2015-07-21 15:04": TIME,
    "2015-07-21T15:04:00.25Z": TIME + timedelta(milliseconds=250),
    "2015-07-21T15:04:00.123456789Z": TIME + timedelta(microseconds=123456),
    "20150721": DAY,
    "20150721150400": TIME,
    "1437491040": TIME,
    "1437491040000": TIME,
    "1437491040000000": TIME,
    "1437491040000000000": TIME,
    "1437491040.5": TIME + timedelta(milliseconds=500),
    "Tue, 21 Jul 2015 18:04:00 +0300": TIME,
    "Tue, 21 Jul 2015 15:04:00 GMT": TIME,
    "Tue Jul 21, 2015 11:04am EDT": TIME,
    "Mon Oct 23, 2006 6:42pm EDT": datetime(2006, 10, 23, 22, 42, tzinfo=UTC),
    "Mon Jan 8, 2007 12:05am EST": datetime(2007, 1, 8, 5, 5, tzinfo=UTC),
    "Tue Jul 21 15:04:00 UTC 2015": TIME,
    "Tuesday, July 21, 2015 at 11:04 a.m. ET": TIME,
    "21 July 2015": DAY,
    "21st July 2015": DAY,
    "July 21, 2015 3:04 PM": TIME,
    "21 Jul 2015 16:04 BST": TIME,
    "2015/07/21": DAY,
    "21-Jul-2015": DAY,
    "07/21/2015": DAY,
    "21/07/2015": DAY,
    "07/08/2015": datetime(2015, 7, 8, tzinfo=UTC),
    "21.07.2015 15:04": TIME,
    "21. Juli 2015, 15:04 Uhr": TIME,
    "mardi 21 juillet 2015 à 15h04": TIME,
    "21 de julio de 2015": DAY,
    "21 luglio 2015": DAY,
    "21 Temmuz 2015": DAY,
    "21 июля 2015 г.": DAY,
    "21 يوليو 2015": DAY,
    "الثلاثاء 21 تموز 2015": DAY,
    "الثلاثاء، ٢١ يوليو ٢٠١٥": DAY,
    "21 كانون الثاني 2015": datetime(2015, 1, 21, tzinfo=UTC),
    "21 يوليو 2015 - 03:04 م": TIME,
    "21 يوليو 2015 م": DAY,
    "2015年7月21日": DAY,
    "29 February 2016": datetime(2016, 2, 29, tzinfo=UTC),
    "-1": datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
}

REFUSED = [
    "yesterday", "3 hours ago", "July 2015", "2015-07", "21 July", "garbage", "2015-13-01", "2015-02-30",
    "29 February 2015", "31/31/2015", "2015-07-21T24:30:00Z", "2015-07-21 15:61", "1500-01-01", "2300-01-01",
    "12 رمضان 1436", "10 days before 5 May 2015", "99999999999999999999", "2015-07-21 7", "21 July 2015 15:04 XQZ",
    "x" * 10_000, "9" * 5000, "\u202e2015", "Tuesday",
]  # fmt: skip


@pytest.mark.parametrize("value", ACCEPTED)
def test_accepted(value: str) -> None:
    dates, bad = parse_dates(pa.array([value]))
    assert (dates.to_pylist(), bad.to_pylist()) == ([ACCEPTED[value]], [False])


def test_a_mixed_column_keeps_its_rows() -> None:
    values = [None, "", "  ", "2015", *ACCEPTED, *REFUSED]
    dates, bad = parse_dates(pa.array(values, pa.string()))
    assert dates.type == pa.timestamp("us", tz="UTC")
    assert dates.to_pylist() == [None] * 4 + list(ACCEPTED.values()) + [None] * len(REFUSED)
    assert bad.to_pylist() == [False] * (4 + len(ACCEPTED)) + [True] * len(REFUSED)


def test_empty_and_sliced_columns() -> None:
    assert len(parse_dates(pa.array([], pa.string()))[0]) == 0
    sliced = pa.array(["bad", "2015-07-21", "1437491040", "bad"]).slice(1, 2)
    dates, bad = parse_dates(sliced)
    assert (dates.to_pylist(), bad.to_pylist()) == ([DAY, TIME], [False, False])


@given(st.datetimes(datetime(1600, 1, 1), datetime(2200, 12, 31)))
def test_what_python_writes_is_read_back(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    whole = aware.replace(microsecond=0)
    written = [aware.isoformat(), moment.isoformat(" "), whole.strftime("%a, %d %b ") + f"{whole.year:04} "
               + whole.strftime("%H:%M:%S GMT")]  # fmt: skip
    dates, bad = parse_dates(pa.array(written))
    assert dates.to_pylist() == [aware, aware, whole]
    assert not any(bad.to_pylist())


@given(st.lists(st.text(max_size=30), max_size=5))
def test_any_text_is_read_or_refused(values: list[str]) -> None:
    dates, bad = parse_dates(pa.array(values, pa.string()))
    for date, wrong in zip(dates.to_pylist(), bad.to_pylist(), strict=True):
        assert date is None or (not wrong and 1600 <= date.year <= 2200)
