from __future__ import annotations

import pyarrow as pa
import pytest

from schemas.settings import CleanSettings
from transforms.functions.agencies import agency_named, agency_names, split_byline
from transforms.functions.cleaning_text import clean_texts

BODY = "Ministers met on Monday to discuss the new budget, officials said.\nThey will meet again in a week."
BODY_AR = "أعلنت الوزارة أن المشروع الجديد سوف يبدأ الشهر المقبل في كل المدن.\nوأضافت أن العمل مستمر منذ سنوات."


def lifted(text: str) -> tuple[str | None, str | None, str | None, str]:
    none = pa.nulls(1, pa.string())
    found = clean_texts(pa.array([text]), none, none, CleanSettings())
    return found.byline[0].as_py(), found.dateline[0].as_py(), found.agency[0].as_py(), found.text[0].as_py()


@pytest.mark.parametrize(
    ("opening", "place", "agency"),
    [
        ("PARIS — ", "PARIS", None),
        ("WASHINGTON (Reuters) - ", "WASHINGTON", "Reuters"),
        ("LONDON, Jan 5 (AP) — ", "LONDON", "Associated Press"),
        ("NEW YORK, 12 July 2014 (AFP) -- ", "NEW YORK", "AFP"),
        ("SEOUL/TOKYO (Reuters) - ", "SEOUL/TOKYO", "Reuters"),
        ("Charlotte, North Carolina (CNN) -- ", "Charlotte, North Carolina", "CNN"),
        ("(Reuters) - ", None, "Reuters"),
        ("CHARLESTON, S.C. — ", "CHARLESTON, S.C.", None),
        ("LA PAZ, BOLIVIA — ", "LA PAZ, BOLIVIA", None),
        ("WINSTON-SALEM, N.C. -- ", "WINSTON-SALEM, N.C.", None),
        ("SÃO PAULO (AFP/File) – ", "SÃO PAULO", "AFP"),
        ("NEW YORK (Reuters Health) - ", "NEW YORK", "Reuters"),
    ],
)
def test_english_datelines(opening: str, place: str | None, agency: str | None) -> None:
    assert lifted("A headline over the story of the day\n" + opening + BODY) == (
        None, place, agency, "A headline over the story of the day\n" + BODY,
    )  # fmt: skip


@pytest.mark.parametrize(
    "opening",
    ["The mayor (left) - he is 60 - ", "PARIS (who else) - ", "BREAKING — ", "The budget — ", "EXCLUSIVE: ",
     "He told Reuters - ", "VIDEO - ", "US — ", "ALERTA - ", "AO VIVO - ", "EL NUEVO VIRUS - ", "ÚLTIMA HORA – ",
     "FÚTBOL – ", "POLITICS — ", "NBA — ", "THE LATEST — ", "GUERRA EN UCRANIA – ", "L’INTERVISTA — ", "NACHRUF — "],
)  # fmt: skip
def test_what_is_no_dateline_stays(opening: str) -> None:
    assert lifted(opening + BODY) == (None, None, None, opening + BODY)


@pytest.mark.parametrize(
    ("opening", "byline", "place", "agency"),
    [
        ("القاهرة - أ ف ب - ", None, "القاهرة", "AFP"),
        ("دبي (رويترز) - ", None, "دبي", "Reuters"),
        ("الرياض - واس: ", None, "الرياض", "SPA"),
        ("رويترز- القاهرة: ", None, "القاهرة", "Reuters"),
        ("الرياض – واس\n", None, "الرياض", "SPA"),
        ("الرياض 29 محرم 1448 هـ الموافق 14 يوليو 2026 م واس\n", None, "الرياض", "SPA"),
        ("الكويت - 4 - 8 (كونا) -- ", None, "الكويت", "KUNA"),
        ("سالم الأحمد ـ صحيفة المثال\n", "سالم الأحمد", None, None),
        ("كتبت: سلمى الأحمد\n", "سلمى الأحمد", None, None),
        ("سالم الأحمد- صحيفة المثال- جدة: ", "سالم الأحمد", "جدة", None),
        ("سالم الأحمد – صحيفة المثال\n", "سالم الأحمد", None, None),
        ("الرياض 29 محرم 1448 هـ الموافق 14 يوليو 2026 م واس ", None, "الرياض", "SPA"),
        ("المدينة المنورة - واس ", None, "المدينة المنورة", "SPA"),
        ("عين اليوم – واس ", None, None, "SPA"),
        ("بيروت - أ.ف.ب ", None, "بيروت", "AFP"),
        ("الدوحة في 09 أبريل /قنا/ ", None, "الدوحة", "QNA"),
        ("الرباط 12 أبريل 2021 (ومع)/ ", None, "الرباط", "MAP"),
        ("دبي، الإمارات العربية المتحدة (CNN)-- ", None, "دبي، الإمارات العربية المتحدة", "CNN"),
        ("إسطنبول/ سالم الأحمد/ رويترز ", "سالم الأحمد", "إسطنبول", "Reuters"),
        ("إسطنبول/ سالم الأحمد/ الأناضول\n", "سالم الأحمد", "إسطنبول", "Anadolu Agency"),
        ("أنقرة/ الأناضول\n", None, "أنقرة", "Anadolu Agency"),
        ("بغداد / نينا / ", None, "بغداد", "NINA"),
        ("مسقط في 5 مايو /العُمانية/ ", None, "مسقط", "ONA"),
        ("القاهرة فى 5 مايو /أ ش أ/ ", None, "القاهرة", "MENA"),
        ("الخرطوم 5-5-2024 (سونا)- ", None, "الخرطوم", "SUNA"),
        ("دبي - العربية.نت\n", None, "دبي", None),
        ("صنعاء _ المثال اليوم\n", None, "صنعاء", None),
        ("المثال الجديد - خاص\n", None, None, None),
        # Sites that open with their own name.
        ("مثال نيوز/ ", None, None, None),
        ("المثال نيوز/ بغداد\n", None, "بغداد", None),
        ("لندن: «الشرق الأوسط»\n", None, "لندن", None),
        ("أبوظبي (الاتحاد)\n", None, "أبوظبي", None),
        ("سالم الأحمد (جدة) okaz_online@ ", "سالم الأحمد", None, None),
        ("كتبت سلمى الأحمد الأربعاء، 14 مارس 2018 02:15 م ", "سلمى الأحمد", None, None),
    ],
)
def test_arabic_openings(opening: str, byline: str | None, place: str | None, agency: str | None) -> None:
    assert lifted(opening + BODY_AR) == (byline, place, agency, BODY_AR)


@pytest.mark.parametrize(
    ("opening", "place", "date"),
    [
        ("LONDON, Jan 5 (AP) — ", "LONDON", "Jan 5"),
        ("NEW YORK, 12 July 2014 (AFP) -- ", "NEW YORK", "12 July 2014"),
        ("LONDON, Sept. 5 — ", "LONDON", "Sept. 5"),
        ("WASHINGTON (Reuters) - ", "WASHINGTON", None),
        ("الكويت - 4 - 8 (كونا) -- ", "الكويت", "4 - 8"),
        ("الرياض 29 محرم 1448 هـ الموافق 14 يوليو 2026 م واس\n", "الرياض", "29 محرم 1448 هـ الموافق 14 يوليو 2026 م"),
        ("الرياض – واس\n", "الرياض", None),
    ],
)
def test_place_and_date_of_a_dateline_are_apart(opening: str, place: str, date: str | None) -> None:
    none = pa.nulls(1, pa.string())
    found = clean_texts(pa.array([opening + (BODY if opening.isascii() or "—" in opening else BODY_AR)]), none, none,
                        CleanSettings())  # fmt: skip
    assert (found.dateline[0].as_py(), found.dateline_date[0].as_py()) == (place, date)


@pytest.mark.parametrize(
    "opening",
    ["قال الوزير - وهو يبتسم - إن الأمر: ", "أعلنت الحكومة أمس: ", 'وقال لـ"الوطن": ', 'وكانت "الرياض" ',
     # `And` and `so` are written together with the verb, and a hamza is often left out.
     "وقال الأحمد لوكالة الأنباء الألمانية (د.ب.أ) ", "واوضح ذات المصدر لمراسلة (وات) ", "فكتب الأحمد بالألمانية: ",
     # An agency's name that is an adjective.
     "قائمة المترشحين للرئاسة الفرنسية:\n", "المدرسة الألمانية: ",
     # Three places, and a place before what is no newspaper.
     "جدة - مكة - الطائف ", "عمان - الحكومة - "],
)  # fmt: skip
def test_arabic_clauses_stay(opening: str) -> None:
    assert lifted(opening + BODY_AR)[3] == opening + BODY_AR


@pytest.mark.parametrize("opening", ["سالم الأحمد – المجاردة", "نادي الشباب – نادي الاتحاد"])
def test_an_arabic_line_of_two_names_stays_where_no_outlet_is_named(opening: str) -> None:
    assert lifted(f"{opening}\n{BODY_AR}")[3] == f"{opening}\n{BODY_AR}"
    assert lifted(f"سالم الأحمد – أخبار اليوم\n{BODY_AR}")[3] == BODY_AR


def test_fixtures_are_no_bylines() -> None:
    fixtures = "مباريات الجولة الأولى\nنادي المثال - نادي الاتحاد\nنادي الشباب - نادي الهلال\n" + BODY_AR
    assert lifted(fixtures) == (None, None, None, fixtures)
    assert lifted("سالم الأحمد - جدة\n" + BODY_AR)[:2] == ("سالم الأحمد", "جدة")


@pytest.mark.parametrize(
    "heading",
    ["قمة الأحمد - سالم", "اتفاق الرياض - طهران", "الأهلي - الزمالك", "سوريا - لبنان", "تحليل - مستقبل الهدنة الهشة",
     "حظك اليوم - برج الحمل", "القمة الإماراتية - العمانية", "سوهاج / قنا", "نينا", "كتب تستحق القراءة:",
     "أسوان / الأقصر / قنا"],
)  # fmt: skip
def test_headings_are_no_credits(heading: str) -> None:
    assert lifted(f"{heading}\n{BODY_AR}") == (None, None, None, f"{heading}\n{BODY_AR}")


@pytest.mark.parametrize(
    "opening",
    ["سالم الأحمد - مهندس: ", "العلاقات السعودية - العمانية: ", "الأرجنتين - فرنسا: ", "استطلاع مثال نيوز/المعهد ",
     "شبكة المثال نيوز/ القسم العربي ", "افتتاحية (الخليج): "],
)  # fmt: skip
def test_speakers_matches_and_subjects_are_no_openings(opening: str) -> None:
    assert lifted(opening + BODY_AR) == (None, None, None, opening + BODY_AR)


def test_a_credit_below_a_headline_with_a_dash_is_read() -> None:
    headline = "شاحنات المساعدات تدخل المدينة - قوافل بعد شهر من الانتظار الطويل"
    assert lifted(f"{headline}\nسالم الأحمد - القاهرة\n{BODY_AR}")[:2] == ("سالم الأحمد", "القاهرة")


def test_lines_that_are_cut_do_not_count_above_a_credit() -> None:
    furniture = "12 مارس 2024\nشارك\nطباعة\nإعلان\n"
    assert lifted(furniture + "بغداد - أخبار اليوم\n" + BODY_AR) == (None, "بغداد", None, BODY_AR)


def test_a_byline_before_a_place_is_told_from_it() -> None:
    assert lifted("By Jane Doe LOS ANGELES (Reuters) - " + BODY) == ("Jane Doe", "LOS ANGELES", "Reuters", BODY)


def test_a_closing_agency_is_lifted() -> None:
    assert lifted(BODY + "\n(AFP)") == (None, None, "AFP", BODY)
    assert lifted(BODY + " (AP)") == (None, None, "Associated Press", BODY)
    assert lifted(BODY + "\nWith AFP and Reuters") == (None, None, "AFP", BODY)
    assert lifted("Reuters\n" + BODY) == (None, None, "Reuters", BODY)
    assert lifted(BODY + "\nab/cde/fg")[3] == BODY
    assert lifted(BODY + " (Reporting by Jane Doe)")[3] == BODY
    assert lifted(BODY + " He told Reuters")[3] == BODY + " He told Reuters"


def test_agency_forms_are_unique() -> None:
    assert agency_names()["واس"] == "SPA"


@pytest.mark.parametrize(
    ("byline", "name", "agency"),
    [
        ("JANE DOE, Associated Press", "JANE DOE", "Associated Press"),
        ("Jane Doe and The Associated Press", "Jane Doe", "Associated Press"),
        ("Jane Doe; Associated Press", "Jane Doe", "Associated Press"),
        ("Jane Doe with AFP", "Jane Doe", "AFP"),
        ("Jane Doe (AP)", "Jane Doe", "Associated Press"),
        ("سالم الأحمد - رويترز", "سالم الأحمد", "Reuters"),
        ("Reuters", None, "Reuters"),
        ("Tania Map", "Tania Map", None),
        ("Jane Doe", "Jane Doe", None),
    ],
)
def test_bylines_are_told_from_agencies(byline: str, name: str | None, agency: str | None) -> None:
    assert split_byline(byline) == (name, agency)


def test_agencies_are_named_in_any_form() -> None:
    assert agency_named("(A.P.)") == agency_named("the associated press") == "Associated Press"
    assert agency_named("map") is None
