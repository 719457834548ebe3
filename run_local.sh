#!/usr/bin/env bash
# Sets up .venv if it is missing or out of date, and runs the main job over seeds/ into out/. Flags are handed on:
#   ./run_local.sh                          the seeds
#   ./run_local.sh --workers 2              with two processes
#   ./run_local.sh --input news/ --store corpus    your own articles
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
"$here/.ci/setup_env"
given=("$@")
has() { local flag; for flag in "${given[@]+"${given[@]}"}"; do [[ "$flag" == "$1" || "$flag" == "$1="* ]] && return 0; done; return 1; }
cd "$here"
has --help || has -h || has --input || given=(--input seeds/articles seeds/refused "${given[@]+"${given[@]}"}")
has --help || has -h || has --store || given=("${given[@]}" --store out)
exec "$here/.venv/bin/copydesk" run "${given[@]}"
