#!/usr/bin/env bash
# Sets up .venv if it is missing, then checks and tests everything. Flags are handed on to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
.ci/setup_env tests
.venv/bin/ruff check schemas transforms pipeline tests setup.py
.venv/bin/mypy
# Two at a time, as CI has two cores: 7 to 8 minutes here, not 14. `-n 0` runs them one by one (and `--pdb` asks for it).
exec .venv/bin/python -m pytest -n 2 --dist worksteal "$@"
