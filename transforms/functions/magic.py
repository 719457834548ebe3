"""What a file is by its first bytes, where it plainly isn't text."""

from __future__ import annotations

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive (or an Office document)"),
    (b"\x1f\x8b\x08", "gzip (its name lacks .gz)"),
    (b"\x28\xb5\x2f\xfd", "zstd (its name lacks .zst)"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"PAR1", "Parquet"),
    (b"Obj\x01", "Avro"),
    (b"ARROW1\x00\x00", "Arrow"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x7fELF", "a program"),
)


def known_content(head: bytes) -> str | None:
    """What the file is, in words; None where its beginning is none of the binary forms known here."""
    return next((name for magic, name in _MAGIC if head.startswith(magic)), None)
