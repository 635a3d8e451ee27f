#!/bin/sh
# Runs the unit tests, and imports every module, with the lowest and with the newest version of each direct requirement
# that its range allows; with CONSTRAINTS, a file or an address, also beside what it says, such as Airflow's constraints.
# The environments are below .local/ranges; building them needs uv (UV names it) and an index.
set -eu
cd "$(dirname "$0")/.."

UV=${UV:-uv}
HOME_OF_ALL=.local/ranges
command -v "$UV" >/dev/null 2>&1 || {
    echo "ranges: uv is needed: pip install uv, or name it: make ranges UV=…" >&2
    exit 1
}

# Transitive requirements are the newest at both ends: their ranges are those of their owners.
make_environment() { # name, resolution, and further options of the resolver
    name=$1 resolution=$2
    shift 2
    "$UV" pip compile --quiet --no-header --no-annotate --python-version 3.11 --resolution "$resolution" "$@" \
        requirements-dev.txt --output-file "$HOME_OF_ALL/$name.txt" --upgrade
    [ -x "$HOME_OF_ALL/$name/bin/python" ] || "$UV" venv --quiet --python 3.11 "$HOME_OF_ALL/$name"
    "$UV" pip sync --quiet --python "$HOME_OF_ALL/$name/bin/python" "$HOME_OF_ALL/$name.txt"
}

# Pages that are generated differ with the versions that generate them: those of the lock.
run_tests() {
    PYTHONPATH=.:include "$HOME_OF_ALL/$1/bin/python" -m local.every_module
    EFFORT=edit PYTHONPATH=.:include "$HOME_OF_ALL/$1/bin/python" -m pytest -q -p no:cacheprovider tests/unit \
        --ignore=tests/unit/test_event_docs.py --ignore=tests/unit/test_api_docs.py
}

check() { # as make_environment
    make_environment "$@"
    echo "$1: $(grep -ciE '^[a-z]' "$HOME_OF_ALL/$1.txt") packages, in $HOME_OF_ALL/$1.txt"
    run_tests "$1"
}

mkdir -p "$HOME_OF_ALL"
check lowest-direct lowest-direct
check highest highest
[ -z "${CONSTRAINTS:-}" ] || check constraints highest --constraint "$CONSTRAINTS"
