"""Words in dates: months, weekdays, parts of the day and zones, folded (no case, no accents, no full stop)."""

from __future__ import annotations

import unicodedata

_MONTH_WORDS = """
1 jan january januar janner jaenner janvier janv enero ene gennaio gen janeiro januari ocak styczen stycznia leden
1 ledna январь января янв يناير جانفي
2 feb february februar feber fevrier fevr febrero febbraio fevereiro fev februari subat luty lutego unor unora
2 февраль февраля фев فبراير شباط فيفري
3 mar march marz maerz mrz mars marzo marco maart mrt mart marzec marca brezen brezna март марта мар مارس آذار اذار
4 apr april avril avr abril abr aprile nisan kwiecien kwietnia duben dubna апрель апреля апр ابريل أبريل إبريل
4 نيسان افريل أفريل
5 may mai mayo maggio mag maio mei maj mayis maja kveten kvetna май мая مايو ايار أيار ماي
6 jun june juni juin junio giugno giu junho haziran czerwiec czerwca cerven cervna июнь июня июн يونيو حزيران جوان
6 يونية يونيه
7 jul july juli juillet juil julio luglio lug julho temmuz lipiec lipca cervenec cervence июль июля июл يوليو تموز
7 جويلية يولية يوليه
8 aug august aout agosto ago augustus augusti agustos sierpien sierpnia srpen srpna август августа авг اغسطس أغسطس
8 آب اب أوت اوت
9 sep sept september septembre septiembre set settembre setembro eylul wrzesien wrzesnia zari сентябрь сентября
9 сен сент سبتمبر ايلول أيلول شتنبر
10 oct october okt oktober octobre octubre ottobre ott outubro out ekim pazdziernik pazdziernika rijen rijna
10 октябрь октября окт اكتوبر أكتوبر
11 nov november novembre noviembre novembro kasim listopad listopada listopadu ноябрь ноября ноя نوفمبر نونبر
12 dec december dez dezember decembre diciembre dic dicembre dezembro aralik grudzien grudnia prosinec prosince
12 декабрь декабря дек ديسمبر دجنبر
"""

_WEEKDAY_WORDS = """
mon monday tue tues tuesday wed wednesday thu thur thurs thursday fri friday sat saturday sun sunday
montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so
lundi mardi mercredi jeudi vendredi samedi dimanche lun mer jeu ven sam dim
lunes martes miercoles jueves viernes sabado domingo lunedi martedi mercoledi giovedi venerdi sabato domenica
maandag dinsdag woensdag donderdag vrijdag zaterdag zondag segunda terca quarta quinta sexta feira
pazartesi sali carsamba persembe cuma cumartesi pazar
понедельник вторник среда четверг пятница суббота воскресенье
الاثنين الإثنين الثلاثاء الاربعاء الأربعاء الخميس الجمعة الجمعه السبت الاحد الأحد اثنين ثلاثاء اربعاء أربعاء خميس
جمعة سبت أحد احد
"""

_SMALL_WORDS = """
of the at on de del di du le la el den der um uhr a à alle ore kl klo om o as às um em и г года в في يوم الساعة
الموافق م
published updated posted last stand publie le mis jour
"""


def _folded(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


MONTHS: dict[str, int] = {
    _folded(word): int(line.split()[0]) for line in _MONTH_WORDS.strip().splitlines() for word in line.split()[1:]
}
"""Number of the month by its name."""

PHRASES: tuple[tuple[str, str], ...] = (
    ("كانون الثاني", "Jan"),
    ("كانون الأول", "Dec"),
    ("كانون الاول", "Dec"),
    ("تشرين الأول", "Oct"),
    ("تشرين الاول", "Oct"),
    ("تشرين الثاني", "Nov"),
)
"""Months of two words, and their English names."""

DAY_PARTS: dict[str, str] = {"ص": " AM", "صباحا": " AM", "مساء": " PM"}
"""Words for the halves of the day."""

WEEKDAYS: frozenset[str] = frozenset(_folded(word) for word in _WEEKDAY_WORDS.split())
"""Names of days, short ones too."""

PASSED_OVER: frozenset[str] = WEEKDAYS | frozenset(_folded(word) for word in _SMALL_WORDS.split())
"""Words that say nothing a date needs. Written weekdays are not checked against the date."""

ZONE_MINUTES: dict[str, int] = {
    name: minutes
    for minutes, names in (
        (0, "Z UT UTC GMT WET"),
        (60, "BST IST CET WEST MEZ"),
        (120, "CEST EET MESZ SAST MEST"),
        (180, "EEST MSK TRT"),
        (480, "HKT SGT AWST"),
        (540, "JST KST"),
        (600, "AEST"),
        (660, "AEDT"),
        (720, "NZST"),
        (780, "NZDT"),
        (-180, "ADT BRT ART"),
        (-240, "EDT AST"),
        (-300, "EST CDT ET"),
        (-360, "CST MDT CT"),
        (-420, "MST PDT MT"),
        (-480, "PST AKDT PT"),
        (-540, "AKST HDT"),
        (-600, "HST"),
    )
    for name in names.split()
}
"""Minutes east of UTC by the names newspapers and mail programs use (RFC 2822's own, Europe, Asia, Australia)."""
