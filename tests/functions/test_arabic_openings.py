from __future__ import annotations

import pytest

from transforms.functions.arabic_openings import is_place, name_parts


@pytest.mark.parametrize(
    ("opening", "said"),
    [
        ("أحمد محمد - الرياض", {"byline": "أحمد محمد", "dateline": "الرياض"}),
        ("أحمد محمد - عكاظ - جدة", {"byline": "أحمد محمد", "dateline": "جدة"}),
        ("أحمد محمد - عكاظ", {"byline": "أحمد محمد"}),
        ("عكاظ - وكالات", {}),
        ("عكاظ - المدينة", {"dateline": "المدينة"}),
        # Places alone, a place before the reporter, two reporters.
        ("غزة - الضفة", {"dateline": "غزة - الضفة"}),
        ("بيروت، دمشق - الشرق الأوسط", {"dateline": "بيروت، دمشق"}),
        ("مكة المكرمة - أحمد محمد", {"dateline": "مكة المكرمة"}),
        ("غزة - قدس برس", {"dateline": "غزة"}),
        ("واشنطن - نيويورك تايمز", {"dateline": "واشنطن"}),
        ("مكتب القاهرة - أحمد محمد", {}),
        ("دار الحياة - الرياض", {"dateline": "الرياض"}),
        ("الضفة الغربية - غزة", {"dateline": "الضفة الغربية - غزة"}),
        ("المنطقة الشرقية - أحمد محمد", {}),
        ("ابو ظبي - الاتحاد", {"dateline": "ابو ظبي"}),
        ("أحمد محمد (جدة) - علي حسن (الرياض)", {"byline": "أحمد محمد (جدة)"}),
        ("كتب محمد علي - القاهرة", {"byline": "محمد علي", "dateline": "القاهرة"}),
        ("أحمد محمد - علي حسن", {"byline": "أحمد محمد"}),
        # Two words behind the outlet: a place if the reporter has been named, or if they are no name.
        ("أحمد محمد - عكاظ - عين الحسن", {"byline": "أحمد محمد", "dateline": "عين الحسن"}),
        ("عكاظ - هيفاء علي", {}),
        ("عكاظ - المنطقة الشرقية", {"dateline": "المنطقة الشرقية"}),
        ("العنود علي - جدة", {"byline": "العنود علي", "dateline": "جدة"}),
        ("أحمد محمد - جدة (تصوير: علي حسن)", {"byline": "أحمد محمد", "dateline": "جدة"}),
        ("واس - الرياض", {"agency": "SPA", "dateline": "الرياض"}),
        ("أحمد محمد - رويترز", {"agency": "Reuters"}),
        ("أحمد محمد - رويترز - لندن", {"agency": "Reuters", "byline": "أحمد محمد", "dateline": "لندن"}),
        ("إسطنبول - محمد ماجد - الأناضول", {"agency": "Anadolu Agency", "dateline": "إسطنبول"}),
        ("غزة - معا", {"dateline": "غزة"}),
    ],
)
def test_parts_are_told_apart(opening: str, said: dict[str, str]) -> None:
    assert name_parts(opening.split(" - ")) == said


@pytest.mark.parametrize(
    ("part", "known"),
    [
        ("عمّان", True), ("اسلام اباد", True), ("أتلانتا، أمريكا", True), ("مكة المكرمة / جدة", True),
        ("محافظة الليث", True),
        ("خميس الحربي", False), ("المدينة", False), ("مدينة", False), ("أحمد محمد", False),
    ],
)  # fmt: skip
def test_places_are_known_by_name_or_by_how_they_begin(part: str, known: bool) -> None:
    assert is_place(part) is known
