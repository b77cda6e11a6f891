#!/bin/sh
# Makes an environment ready, .venv unless it says another:
#
#   scripts/setup.sh runtime   to run wireroom
#   scripts/setup.sh dev       to work on it
#   scripts/setup.sh train     .venv-train, to train the neural tier of names
#
# Needs Python 3.11 or newer with its venv module, and nothing else. Every package is
# held to the hash in a requirements-*.lock file. uv installs them in seconds; where it
# cannot be had, or does not know the index that pip is set up for, pip does the same.
set -eu
cd "$(dirname "$0")/.."

VENV=.venv
lone=
export PIP_DISABLE_PIP_VERSION_CHECK=1

main() {
    case "$1" in
        runtime) locks="requirements.lock requirements-build.lock" ;;
        dev) locks="requirements-dev.lock" ;;
        # What the sentence encoder asks for besides is not needed, and not locked.
        train) locks="requirements-train.lock" VENV=.venv-train lone=--no-deps ;;
        *) fail "usage: scripts/setup.sh runtime|dev|train" ;;
    esac
    make_venv
    if get_uv; then
        uv_install "$locks" || pip_install "$locks" || nothing_came
    else
        pip_install "$locks" || nothing_came
    fi
    [ "$1" = train ] || touch "$VENV/.runtime-installed"
    [ "$1" = runtime ] || touch "$VENV/.$1-installed"
}

make_venv() {
    # A moved or half-made environment is made again; a working one is kept.
    if "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        return
    fi
    base="$(find_python)"
    say "Making $VENV with $("$base" --version)"
    "$base" -m venv --clear "$VENV" ||
        fail "$base cannot make environments; on Debian: apt-get install python3-venv"
}

find_python() {
    # Asked to run, not only looked up: version managers leave stubs that fail.
    for name in ${PYTHON:-python3.11 python3.12 python3.13 python3}; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
        then
            echo "$name"
            return
        fi
    done
    fail "needs Python 3.11 or newer; name one: make setup PYTHON=/path/to/python3"
}

get_uv() {
    "$VENV/bin/python" -m pip install --quiet --retries 1 --require-hashes \
        -r requirements-uv.lock 2>"$VENV/uv.log" ||
        { say "uv is not to be had here; pip will do (see $VENV/uv.log)"; false; }
}

uv_install() {
    say "Installing $1 with uv"
    # Compiled once, here: a line is several processes, and each would compile all of
    # it anew where Python may not write into the environment.
    for lock in $1; do
        # shellcheck disable=SC2086  # `lone` is one flag or nothing
        "$VENV/bin/uv" pip install --quiet --python "$VENV/bin/python" \
            --compile-bytecode $lone --require-hashes -r "$lock" || return 1
    done
    [ "$VENV" = .venv ] || return 0
    "$VENV/bin/uv" pip install --quiet --python "$VENV/bin/python" \
        --no-deps --no-build-isolation --editable .
}

pip_install() {
    say "Installing $1 with pip; this takes a minute or two"
    for lock in $1; do
        # shellcheck disable=SC2086  # as above
        "$VENV/bin/python" -m pip install --quiet $lone --require-hashes -r "$lock" ||
            return 1
    done
    [ "$VENV" = .venv ] || return 0
    "$VENV/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable .
}

nothing_came() {
    fail "The packages could not be fetched. Is there a network?
Without one, put the wheels into a folder on a machine that has it:
    pip download --require-hashes -r requirements.lock \\
        -r requirements-build.lock -d FOLDER
and install from there: PIP_NO_INDEX=1 PIP_FIND_LINKS=FOLDER make demo"
}

say() {
    echo "$1" >&2
}

fail() {
    say "$1"
    exit 1
}

main "${1:-}"
