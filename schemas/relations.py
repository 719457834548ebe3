"""The relations an article, or a pair of articles, can have. The names are stored; see the contract in README."""

from __future__ import annotations

KEPT = "kept"
EXACT = "exact"
NEAR = "near"
CONTAINED = "contained"
PARTIAL = "partial"
REWRITE = "rewrite"
NONE = "none"
"""Only in `matches`: the pair was weighed and refused."""

COPY_RELATIONS = (EXACT, NEAR, CONTAINED)
"""Relations that make an article a copy: it belongs to its keeper's story."""

ARTICLE_RELATIONS = (KEPT, EXACT, NEAR, CONTAINED, PARTIAL, REWRITE)
