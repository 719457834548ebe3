"""Rewrites in other words over whole runs, English and Arabic: found, explained, kept, and dropped when asked to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.command_line import main
from tests.pipeline.store_reading import articles_of, rows_of, run_over, write_jsonl

ENGLISH = """
Engineers from the Havrelund shipyard said on Tuesday that the rescue tug Brasdal, which struck a reef off Kettleness
last month, would be raised before the end of April. Divers led by Marguerite Olufsen spent 19 days sealing 47 cracks
in the hull, and two floating cranes hired in Rotterdam are to lift the 630-tonne vessel on the first calm morning. The
yard's director, Tobias Wrenfield, told the harbour council that the work had cost 8.4 million crowns so far, nearly all
of it paid by the insurer Nordvakt. Fishermen in Kettleness have complained that the wreck blocks the channel to their
auction hall, and the cooperative's chairwoman, Ingrid Aasmo, said landings had fallen by 38 percent since the
grounding. An inquiry headed by the retired pilot Samuel Quarmby found that the Brasdal's radar had failed 12 minutes
before she touched the reef, and blamed a cable that was replaced in Gdynia in 2019. The tug is to be towed to
Havrelund for repairs, which Wrenfield expects to take until November.
"""
SPUN = """
Technicians from the Havrelund boatyard stated on Tuesday that the salvage towboat Brasdal, that hit a ledge near
Kettleness the previous month, will be hoisted prior to the close of April. Frogmen headed by Margerite Olufsen used 19
days to plug 47 fissures in the shell, and a pair of swimming hoists rented in Rotterdam shall heave the 630-ton craft
on the earliest quiet forenoon. The boatyard's head, Tobias Wrenfeld, informed the port board that the labour had
swallowed 8.4 million kroner to date, almost everything settled by the underwriter Nordvakt. Trawlermen at Kettleness
grumbled that the hulk obstructs the passage toward their bidding shed, and the guild's leader, Ingrid Asmo, declared
catches had dropped by 38 percent following the stranding. A probe steered by the former navigator Samuel Quarmbey
discovered that the Brasdal's radar had broken 12 minutes ahead of her meeting the ledge, and faulted a wire which was
swapped in Gdynia in 2019. The towboat is due to be dragged to Havrelund for mending, that Wrenfeld reckons to last
till November.
"""
OWN = """
For six weeks the people of Kettleness have looked out at a red funnel leaning over the rocks, and on Wednesday evening
some three hundred of them crowded into the chapel to ask when it will go. Ingrid Aasmo, who buys cod for four
restaurants, wanted to know who pays for her idle freezer. A lawyer for Nordvakt, Pernille Dahlgaard, promised an answer
by Friday and handed out a telephone number. The skipper of the Brasdal, 54, has not spoken in public; his brother said
that he walks the cliff path each night. Schoolchildren have painted the tug on 21 banners, with wings. Geologists from
the university at Lindholt warn that the reef itself is cracking, and that a spring storm could roll the ship into
deeper water, where no crane could reach her. The council meets again on the 14th, with tea and a projector, and the
bishop of Sundby has offered to sit between the parties if they wish.
"""
ARABIC = """
أعلنت بلدية الرملة البيضاء الأحد أن جسر المنارة الذي تصدع في فيضان آذار سيعاد فتحه أمام السيارات في 17 أيلول بعد ترميم
استغرق 26 أسبوعا. وقالت المهندسة سلمى الخازندار التي أشرفت على الأعمال إن 340 عاملا استبدلوا 58 دعامة حديدية وحقنوا
الأساسات بالخرسانة، وإن الكلفة بلغت 12 مليون دينار دفع صندوق الإعمار ثلثيها. وكان النائب جورج طرابيشي طالب بتحقيق في
أسباب الانهيار بعدما كشف تقرير لجامعة الزيتونة أن مضخات قناة الشمال تعطلت قبل 9 ساعات من وصول السيل. ونفت شركة المياه
في بيان مسؤوليتها وأكدت أن المضخات خضعت لصيانة في تشرين 2018 على يد خبراء من ميلانو. ويشكو تجار سوق النحاسين من تراجع
المبيعات بنسبة 44 في المئة منذ إغلاق الجسر، وقال رئيس لجنتهم مروان قصاب باشي إن 63 محلا أقفلت أبوابها نهائيا. ومن
المقرر أن تسير حافلات مجانية بين المنارة وحي الدباغين حتى نهاية العام، على أن تنظر المحكمة في دعوى التعويض التي رفعتها
عائلة الغريق نديم الشدياق في كانون الأول.
"""
ARABIC_SPUN = """
أفادت بلدية الرملة البيضاء الأحد بأن جسر المنارة الذي تشقق في سيل آذار سيرجع فتحه قدام المركبات في 17 أيلول عقب إصلاح
دام 26 أسبوعا. وذكرت المهندسة سلمى الخزندار التي راقبت الأشغال أن 340 شغيلا غيروا 58 ركيزة حديدية وملأوا القواعد
بالإسمنت، وأن النفقة وصلت 12 مليون دينار سدد صندوق الإعمار ثلثيها. وسبق للنائب جورج طرابيشي أن نادى بتحر في دواعي السقوط
حينما أظهر تقرير لجامعة الزيتونة أن مضخات ترعة الشمال توقفت قبيل 9 ساعات من بلوغ الطوفان. وأنكرت مؤسسة المياه في تصريح
ذنبها وشددت على أن المضخات نالت عناية في تشرين 2018 على أيدي متخصصين من ميلانو. ويتذمر باعة سوق النحاسين من هبوط
المبيع بنسبة 44 في المئة مذ سد الجسر، وذكر كبير هيئتهم مروان قصاب باشا أن 63 دكانا أوصدت أبوابها كليا. ومن المنتظر أن
تمضي باصات مجانية ما بين المنارة وحارة الدباغين لغاية ختام السنة، بينما تبحث المحكمة في قضية العوض التي أقامتها أسرة
الهالك نديم الشدياق في كانون الأول.
"""
ROWS = [
    {
        "id": "wire", "source": "Reuters", "text": "KETTLENESS (Reuters) - " + ENGLISH,
        "published_at": "2026-03-24T09:00:00Z",
    },
    {"id": "spun", "source": "Daily Wave", "text": SPUN, "published_at": "2026-03-24T05:00:00Z"},
    {"id": "own", "source": "Kettleness Bell", "text": OWN, "published_at": "2026-03-25T18:00:00Z"},
    {"id": "paper", "source": "Al Sahil", "text": ARABIC, "published_at": "2026-09-06T08:00:00Z"},
    {"id": "paper-spun", "source": "Al Barq", "text": ARABIC_SPUN, "published_at": "2026-09-07T08:00:00Z"},
]  # fmt: skip
SOURCES = {"spun": "wire", "paper-spun": "paper"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rewrites")
    rows = [row | {"text": " ".join(row["text"].split())} for row in ROWS]
    run_over(folder / "store", write_jsonl(folder / "articles.jsonl", rows))
    return folder / "store"


def test_they_are_found_and_stay_in_clean(store: Path) -> None:
    articles = {row["source_id"]: row for row in articles_of(store)}
    ids = {name: row["article_id"] for name, row in articles.items()}
    for name, row in articles.items():
        assert row["table"] == "clean"
        assert row["kept_id"] == row["story_id"] == ids[name], "a rewrite is a story of its own"
        assert row["relation"] == ("rewrite" if name in SOURCES else "kept"), name
        assert row["derived_from"] == (ids[SOURCES[name]] if name in SOURCES else None)
    matches = [row for row in rows_of(store, "matches") if row["accepted"]]
    assert {(row["relation"], row["containment"] < 0.2) for row in matches} == {("rewrite", True)}
    assert len(matches) == len(SOURCES)


@pytest.mark.parametrize("name", SOURCES)
def test_explain_says_why(store: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--store", str(store), name]) == 0
    told = capsys.readouterr().out
    source = next(row["article_id"] for row in articles_of(store) if row["source_id"] == SOURCES[name])
    assert f"rewrite: the same report as {source} in other words; is kept" in told
    assert "names, numbers and unusual words in the same order, in step throughout" in told
    assert "at the same height" in told


def test_dropped_ones_go_to_copies(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    articles = store.parent / "articles.jsonl"
    drop = ["--drop", "exact,near,contained,rewrite"]
    assert main(["run", "--quiet", "--input", str(articles), "--store", str(tmp_path / "store"), *drop]) == 0
    dropped = {row["source_id"]: row for row in articles_of(tmp_path / "store")}
    ids = {name: row["article_id"] for name, row in dropped.items()}
    for name, source in SOURCES.items():
        assert (dropped[name]["table"], dropped[name]["kept_id"]) == ("copies", ids[source])
    assert {row["table"] for name, row in dropped.items() if name not in SOURCES} == {"clean"}
    assert main(["verify", "--store", str(tmp_path / "store")]) == 0
    capsys.readouterr()
    assert main(["explain", "--store", str(tmp_path / "store"), "spun"]) == 0
    assert f"in other words; {ids['wire']} stands for it" in capsys.readouterr().out
    # Told to keep them again, without reading an article.
    keep = ["--set", "relate.drop=exact,near,contained"]
    assert main(["relabel", "--quiet", *keep, "--store", str(tmp_path / "store")]) == 0
    assert main(["compare", str(store), str(tmp_path / "store")]) == 0
