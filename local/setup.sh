#!/bin/sh
# Sets up .venv with exactly what requirements-dev.lock names, by hash, and the product itself. Quiet when there is nothing to do.
set -eu
cd "$(dirname "$0")/.."

LOCK=requirements-dev.lock
STAMP=.venv/upgrades-stamp
LOG=.venv/setup.log

fail() {
    echo "setup: $1" >&2
    exit 1
}

# 3.14 and later are left out: Airflow's Kafka provider does not support them yet.
supported() {
    "$1" -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${PYTHON3:-} python3.11 python3.12 python3.13 python3; do
        if supported "$candidate"; then
            echo "$candidate"
            return
        fi
    done
}

# The stamp names the folder: scripts in .venv/bin contain its path, so a moved checkout is set up again.
wanted_stamp() {
    echo "$(cat "$LOCK" pyproject.toml | cksum) $(pwd)"
}

is_done() {
    [ -x .venv/bin/python ] && [ "$(cat "$STAMP" 2>/dev/null)" = "$(wanted_stamp)" ] && supported .venv/bin/python
}

run() {
    "$@" >>"$LOG" 2>&1 && return
    why=$(grep -iE 'error|no space|denied|timed out' "$LOG" | tail -n 1)
    fail "${why:-$1 failed} (all of it: $LOG)"
}

make_venv() {
    rm -rf .venv
    mkdir .venv
    if command -v uv >/dev/null 2>&1; then
        run uv venv --allow-existing --python "${python:->=3.11,<3.14}" .venv
    else
        run "$python" -m venv .venv
    fi
}

install() {
    if command -v uv >/dev/null 2>&1; then
        run uv pip sync --require-hashes --compile-bytecode --python .venv/bin/python "$LOCK"
    else
        run .venv/bin/python -m pip install --disable-pip-version-check --require-hashes -r "$LOCK"
    fi
}

# The product itself, as an editable install: edits take effect without another set-up.
install_product() {
    if command -v uv >/dev/null 2>&1; then
        run uv pip install --no-deps --no-build-isolation --python .venv/bin/python --editable .
    else
        run .venv/bin/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation --editable .
    fi
}

[ -f "$LOCK" ] || fail "$LOCK is missing: check the repository out again"
is_done && exit 0

python=$(find_python)
if ! command -v uv >/dev/null 2>&1; then
    [ -n "$python" ] || fail "Python 3.11, 3.12 or 3.13 is needed: install python3 (or name one with PYTHON3=…)"
    "$python" -c 'import venv, ensurepip' >/dev/null 2>&1 ||
        fail "$python has no venv module: install it (Debian and Ubuntu: apt-get install python3-venv)"
fi

echo "setting up .venv (about 2 min the first time)" >&2
trap 'fail "interrupted: run it again"' INT TERM
make_venv
install
install_product
wanted_stamp >"$STAMP"
