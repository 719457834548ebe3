"""Encodings: recognised from little text, and noise is not taken for text."""

from __future__ import annotations

import random

import pytest

from transforms.functions.encodings import UndecodableError, decode_page, decode_text, sniff_encoding

ARABIC = "قال وزير الخارجية إن المحادثات مستمرة، وأضاف أن الاجتماع القادم سيعقد يوم الأحد."
WRITTEN = [
    (ARABIC, "cp1256"), (ARABIC[:17], "cp1256"), (ARABIC, "iso8859_6"), (ARABIC, "utf-8"), (ARABIC, "utf-8-sig"),
    (ARABIC, "utf-16"), (ARABIC, "utf-16-le"), (ARABIC, "utf-16-be"), (ARABIC, "utf-32"),
    ("Le président a été réélu à Genève, où il a passé l'été avec sa famille.", "cp1252"),
    ("Он сказал, что переговоры продолжаются и встреча состоится завтра.", "cp1251"),
    ("Der Bürgermeister sagte am Dienstag, die Brücke werde im März geöffnet.", "latin-1"),
    ("He said “no” – twice – and left.", "cp1252"),
    ("市長は火曜日に新しい港について話し合うと述べた。会議は来週開かれる。", "shift_jis"),
    ("시장은 화요일에 새 항구에 대해 논의할 것이라고 말했다. 회의는 다음 주에 열린다.", "euc_kr"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "encoding"), WRITTEN)
def test_text_is_recognised(text: str, encoding: str) -> None:
    assert decode_text(text.encode(encoding))[0] == text


@pytest.mark.parametrize(
    "data",
    [b"bad \xff\xfe bytes", b'{"text":"\xff\xff\xff"}', b"\x80\x81\x82", b"\x00\x01\x02\x03" * 9, b"a\x01b\x02c\x03"],
)
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(UndecodableError):
        decode_text(data)


def test_random_bytes_are_refused() -> None:
    source = random.Random(7)
    for _ in range(50):
        with pytest.raises(UndecodableError):
            decode_text(source.randbytes(200))


def test_a_text_cut_within_a_character_stays_utf8() -> None:
    data = ARABIC.encode()[:-2]
    assert decode_text(data) == (ARABIC[:-2] + "\ufffd", "utf-8")


def test_a_few_broken_characters_are_marked() -> None:
    chinese = "市长周二表示，新港口的讨论将于下周开始，渔民们会先被听取意见。".encode("gb18030")
    assert decode_page(chinese * 5 + b"\xff" + chinese)[0].count("\ufffd") == 1
    with pytest.raises(UndecodableError):
        decode_page(chinese + b"\xff\xff\xff" * 2 + chinese)


@pytest.mark.parametrize(
    ("charset", "encoding", "text", "wide", "expected"),
    [
        ("gb2312", "gb18030", "有一个法官，因为听见一位传道人常常说要凡事谢恩", b"\xa3\xa0\xa3\xa0", "\u3000\u3000"),
        ("shift_jis", "cp932", "市長は火曜日に新しい港について話し合うと述べた", b"\x87\x40\x81\x60", "①～"),
        ("big5", "big5", "市長週二表示，新港口的討論將於下週開始", b"\x9d\xf7\xa1\x45", "咗‧"),
        ("euc-kr", "cp949", "시장은 화요일에 새 항구에 대해 논의할 것이라고 말했다", b"\x8c\x63", "똠"),
    ],
)
def test_encodings_are_as_wide_as_browsers_have_them(
    charset: str, encoding: str, text: str, wide: bytes, expected: str
) -> None:
    page = b"<html><meta charset=" + charset.encode() + b"><p>" + wide + text.encode(encoding) + b"</p>"
    assert decode_page(page)[0].endswith(f"<p>{expected}{text}</p>")


@pytest.mark.parametrize(
    ("declared", "encoding", "text"),
    [
        ("windows-1254", "cp1254", "Petrol fiyatlarında düşüş sürüyor, düşüşün süreceği söyleniyor."),
        ("iso-8859-1", "cp1252", "»»»»»»»» Más noticias «««««« GÓÓÓÓÓÓÓÓÓÓÓÓÓÓL de España"),
        ("windows-1250", "cp1250", "Zażółć gęślą jaźń, powiedział wójt w środę."),
        ("euc-kr", "shift_jis", "市長は火曜日に新しい港について話し合うと述べた。会議は来週開かれる。"),
        ("iso-8859-1", "cp1256", ARABIC),
        ("iso-8859-1", "cp1251", "Он сказал, что переговоры продолжаются и встреча состоится завтра."),
        ("iso-8859-1", "gb18030", "市长周二表示，新港口的讨论将于下周开始，渔民们会先被听取意见。"),
        ("gb2312", "big5", "市長週二表示，新港口的討論將於下週開始，漁民們會先被聽取意見。"),
    ],
)
def test_what_a_page_declares_is_doubted_for_a_reason(declared: str, encoding: str, text: str) -> None:
    page = b"<html><meta charset=" + declared.encode() + b"><p>" + text.encode(encoding) + b"</p>"
    assert text in decode_page(page)[0]


@pytest.mark.parametrize("encoding", ["cp850", "mac-roman"])
def test_what_windows_1252_lacks_a_character_for_is_none(encoding: str) -> None:
    text = "Le président a annoncé mardi à Genève que l'été serait très chaud, déclara-t-il. Î É Å À Ù"
    with pytest.raises(UndecodableError):
        decode_text(text.encode(encoding))


def test_long_and_broken_korean_is_read() -> None:
    sentence = "시장은 화요일에 새 항구에 대해 논의할 것이라고 말했다. 회의는 다음 주에 열린다. "
    for size in (16_000, 16_500, 17_001, 20_003):
        text = sentence * (size // 50) + sentence[: size % 7]
        assert decode_text(text.encode("cp949"))[0] == text
    broken = decode_text(sentence.encode("cp949") * 3 + b"\xff" + sentence.encode("cp949"))[0]
    assert broken.startswith(sentence)
    assert broken.endswith(sentence)


def test_a_latin_page_is_what_it_says() -> None:
    french = "Le président a été réélu à Genève, où la fondation créée l'été passé siège déjà.".encode("cp1252")
    assert decode_page(b"<html><meta charset=iso-8859-1><p>" + french)[1] == "cp1252"


def test_a_file_that_begins_in_ascii_and_a_head_cut_anywhere() -> None:
    data = ARABIC.encode()
    assert {sniff_encoding(data[:end]) for end in range(len(data))} == {"utf-8"}
    assert sniff_encoding(b"only ascii") == "utf-8"
    assert sniff_encoding(ARABIC.encode("cp1256")) == "cp1256"


def test_what_a_page_declares() -> None:
    body = "<p>قال</p>"
    assert decode_page(body.encode("cp1256"), "windows-1256") == (body, "cp1256")
    assert decode_page(body.encode(), "windows-1256") == (body, "utf-8")
    for harmful in ("zip", "base64", "punycode", "idna", "nonsense", "unicode_escape"):
        page = f'<meta charset="{harmful}"><p>{ARABIC}</p>'
        assert decode_page(page.encode("cp1256"))[0] == page
