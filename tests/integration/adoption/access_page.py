"""The commands of docs/access.md: those that make users and connections, and those that uninstall."""

import re
import shlex
from pathlib import Path

from tests.architecture.sources import ROOT
from tests.guides import code_blocks
from tests.integration.adoption.project import Project

PAGE = (ROOT / "docs" / "access.md").read_text(encoding="utf-8")
_, SECTION = PAGE.split("## Uninstall\n")
(UNINSTALL, CLEAN_UP) = (text for _, text in code_blocks(re.sub("^   ", "", SECTION, flags=re.MULTILINE)))
MADE = [
    shlex.split(each.replace("…", "word"))
    for each in re.findall(r"`airflow ((?:connections add|users create) [^`]+)`", PAGE)
]
"The words of each command that is within a sentence or a table."
RECORDER = """#!/bin/sh
[ "$1 $2" = "dags list" ] && exec cat listed
printf '%s\\n' "$*" "$@" "" >> typed
"""
"In place of `airflow`: what is typed is carried out afterwards, all of it in one process."


def typed(project: Project, commands: str, listed: str) -> list[list[str]]:
    """The words of each `airflow` that a shell runs for the commands, when the list of DAGs is this."""
    programs = project.folder / "recorder"
    programs.mkdir()
    _write(programs / "airflow", RECORDER)
    (project.folder / "listed").write_text(listed)
    project.shell(commands, programs)
    return [each.split("\n")[1:] for each in (project.folder / "typed").read_text().strip().split("\n\n")]


def _write(path: Path, program: str) -> None:
    path.write_text(program)
    path.chmod(0o755)
