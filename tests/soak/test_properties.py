"""Every unit test with hypothesis (`@given`, or a machine of rules), with many examples in every round.

They run in a process of their own with the round's seed as hypothesis's, found by pytest and so never out of date.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.soak.rounds import Round

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "tests" / "unit"
HANGS_SECONDS = 300


def test_property_tests_pass_with_many_examples(rounds: Iterator[Round]) -> None:
    for each in rounds:
        with each:
            each.did(properties=_passed(each.seed))


def _passed(seed: int) -> int:
    """How many properties were tested and held."""
    files = [str(path) for path in UNIT.rglob("test_*.py") if "from hypothesis" in path.read_text(encoding="utf-8")]
    argv = [sys.executable, "-m", "pytest", *files, "-m", "hypothesis", f"--hypothesis-seed={seed}"]
    argv += ["-q", "-p", "no:cacheprovider"]
    env = os.environ | {"EFFORT": "soak"}
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=HANGS_SECONDS)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    found = re.search(r"(\d+) passed", done.stdout)
    assert found, done.stdout
    return int(found[1])
