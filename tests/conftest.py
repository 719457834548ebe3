"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

# The first call of a kernel compiles it, which takes seconds where numba's caches are cold.
settings.register_profile("copydesk", deadline=None)
settings.load_profile("copydesk")
