"""``airflow upgrades doctor``; ``python -m upgrade_orchestrator.cli.doctor`` if the package is copied."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable

from upgrade_orchestrator.cli.context import act_as_server
from upgrade_orchestrator.cli.doctor.finding import Finding, Level
from upgrade_orchestrator.cli.doctor.order import LOOKS
from upgrade_orchestrator.cli.doctor.timed import timed


def main(arguments: list[str] | None = None) -> int:
    """Print every finding and a summary; returns 1 when there is an error, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="airflow upgrades doctor", description="what is wrong with an installation")
    parser.parse_args(arguments)
    act_as_server()
    return report(each for subject, look in LOOKS.items() for each in timed(subject, look))


def report(findings: Iterable[Finding]) -> int:
    """Print each as soon as it is there, then how many there were of each level; returns the exit code."""
    levels: Counter[Level] = Counter()
    for each in findings:
        levels[each.level] += 1
        print(each, flush=True)
    errors, warnings = levels[Level.ERROR], levels[Level.WARNING]
    print(f"{_count(errors, 'error')}, {_count(warnings, 'warning')}, {levels[Level.OK]} ok")
    return 1 if errors else 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


if __name__ == "__main__":
    sys.exit(main())
