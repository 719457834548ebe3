#!/usr/bin/env bash
# Shows articles arriving clean: starts a Kafka broker, a producer that sends the seeds, and `copydesk stream`, which
# reads them into out-stream/ and ends by itself when nothing more comes. Ctrl-C ends it before. Needs Python 3.11, Java
# 17 and Maven; what it fetches is pinned (.ci/setup_env, .ci/setup_engines). Flags are handed on to `copydesk stream`:
#   ./run_stream.sh                            the seeds, ten a second
#   ./run_stream.sh --every 1 --max-articles 20
#   PER_SECOND=50 ./run_stream.sh --store corpus
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
"$here/.ci/setup_env" kafka
"$here/.ci/setup_engines" kafka
given=("$@")
has() { local flag; for flag in "${given[@]+"${given[@]}"}"; do [[ "$flag" == "$1" || "$flag" == "$1="* ]] && return 0; done; return 1; }
has --store || given=("${given[@]+"${given[@]}"}" --store "$here/out-stream")
has --every || given=("${given[@]}" --every 1)
has --until-idle || given=("${given[@]}" --until-idle 5)
python="$here/.venv/bin/python"
port="${PORT:-$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')}"
controller="$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
folder="$(mktemp -d)"
children=()
# The broker and the producer end with this script, however that ends.
end() {
  trap - EXIT
  local child
  for child in "${children[@]+"${children[@]}"}"; do kill "$child" 2>/dev/null || true; done
  for child in "${children[@]+"${children[@]}"}"; do wait "$child" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap end EXIT

echo "copydesk: starting a Kafka broker at 127.0.0.1:$port" >&2
# In process groups of their own, so that Ctrl-C reaches the stream alone, which ends with the batch in hand.
set -m
"$here/.ci/kafka_broker" "$folder/broker" "$port" "$controller" >"$folder/broker.log" 2>&1 &
children+=($!)
cd "$here"
"$python" -m tests.engines.produce --broker "127.0.0.1:$port" --topic articles --wait 60 \
  --per-second "${PER_SECOND:-10}" seeds/articles/jsonl/* >"$folder/produce.log" 2>&1 &
children+=($!)
set +m
"$python" -m tests.engines.produce --broker "127.0.0.1:$port" --topic articles --wait 60 || {
  tail -n 20 "$folder/broker.log" >&2
  exit 1
}
code=0
"$here/.venv/bin/copydesk" stream --from "kafka://127.0.0.1:$port/articles" "${given[@]}" &
stream=$!
trap : INT  # the terminal gives it to the stream too
trap 'kill -TERM "$stream" 2>/dev/null' TERM
while :; do
  code=0
  wait "$stream" || code=$?
  kill -0 "$stream" 2>/dev/null || break
done
exit "$code"
