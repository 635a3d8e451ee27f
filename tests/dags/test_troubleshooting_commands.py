"""docs/troubleshooting.md: Airflow's command line knows the commands that the page names."""

import re
import shlex

import pytest

from tests.architecture.sources import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"`(airflow [^`]+)`", PAGE)))


def test_the_page_has_commands() -> None:
    assert len(COMMANDS) >= 5


@pytest.mark.parametrize("command", COMMANDS)
def test_airflow_knows_the_command(command: str) -> None:
    from airflow.cli.cli_parser import get_parser

    assert callable(get_parser().parse_args(shlex.split(command)[1:]).func)


def test_airflow_refuses_a_command_that_it_does_not_know() -> None:
    from airflow.cli.cli_parser import get_parser

    with pytest.raises(SystemExit):
        get_parser().parse_args(["dags", "list-import-mistakes"])
