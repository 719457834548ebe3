"""Why a record is refused: a closed set of reasons, and the stage that refused it."""

from __future__ import annotations

UNREADABLE_FILE = "unreadable_file"
BAD_RECORD = "bad_record"
BAD_ENCODING = "bad_encoding"
BAD_DATE = "bad_date"
NO_TEXT = "no_text"
TOO_SHORT = "too_short"
TOO_LARGE = "too_large"
EXTRACTION_FAILED = "extraction_failed"
EXTRACTION_TIMEOUT = "extraction_timeout"
REPEAT = "repeat"

REASONS: dict[str, str] = {
    UNREADABLE_FILE: "the file (or the rest of it) could not be read as what its name says",
    BAD_RECORD: "the record is not an object with the fields of an article",
    BAD_ENCODING: "the bytes are text in no known encoding",
    BAD_DATE: "the publication date could not be read",
    NO_TEXT: "there is no text in the record",
    TOO_SHORT: "fewer words than clean.min_words are left after cleaning",
    TOO_LARGE: "the record is larger than read.max_record_bytes",
    EXTRACTION_FAILED: "no article was found in the page",
    EXTRACTION_TIMEOUT: "the page took longer than clean.extraction_timeout_seconds",
    REPEAT: "the store, or this run, already holds this article",
}
"""Every reason, with what it means for a reader of `rejected/`."""

STAGE_READ = "read"
STAGE_CLEAN = "clean"
STAGE_ADMIT = "admit"
STAGES = (STAGE_READ, STAGE_CLEAN, STAGE_ADMIT)
