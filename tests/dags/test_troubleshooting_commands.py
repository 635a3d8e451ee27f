"""docs/troubleshooting.md: Airflow's command line knows the commands that the page names."""

import re
import shlex

import pytest

from tests.architecture.sources import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"`(airflow [^`]+)`", PAGE)))


def test_troubleshooting_page_has_commands() -> None:
    assert len(COMMANDS) >= 5


@pytest.mark.parametrize("command", COMMANDS)
def test_command_of_the_page_is_accepted_by_airflows_parser(command: str) -> None:
    from airflow.cli.cli_parser import get_parser

    assert callable(get_parser().parse_args(shlex.split(command)[1:]).func)


def test_unknown_command_is_refused_by_airflows_parser() -> None:
    from airflow.cli.cli_parser import get_parser

    with pytest.raises(SystemExit):
        get_parser().parse_args(["dags", "list-import-mistakes"])
