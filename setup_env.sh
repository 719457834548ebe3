#!/usr/bin/env bash
# Makes .venv with this project and the versions pinned in setup.py; "tests" as argument adds what the tests need.
# Done again only when setup.py or pyproject.toml has changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
extra="${1:-}"
stamp=".venv/.installed${extra:+-$extra}"
wanted="$(cat setup.py pyproject.toml | sha256sum | cut -d' ' -f1)"
if [[ -f "$stamp" && "$(cat "$stamp")" == "$wanted" && -x .venv/bin/copydesk ]]; then exit 0; fi
python="${PYTHON:-}"
if [[ -z "$python" ]]; then
  for name in python3.11 python3 python; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
      python="$name"; break
    fi
  done
fi
if [[ -z "$python" ]]; then
  echo "copydesk needs Python 3.11; install it, or name it with PYTHON=/path/to/python3.11" >&2
  exit 2
fi
echo "copydesk: setting up .venv (once; a few minutes)" >&2
[[ -x .venv/bin/python ]] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check -e ".${extra:+[$extra]}" >&2
echo "$wanted" > "$stamp"
