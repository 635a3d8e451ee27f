"""docs/fleet-agent.md: its examples follow the protocol, and its limits are the real ones."""

import json

from tests.guides import code_blocks
from tests.unit.docs.pages import page, rows, section
from upgrade_orchestrator.adapters.fleet import client, door
from upgrade_orchestrator.domain.execution.execution import UpgradeRequest

PAGE = page("fleet-agent.md")
LIST, HEALTH, STALE = (json.loads(text) for kind, text in code_blocks(PAGE) if kind == "json")


def test_example_of_a_list_is_of_the_protocol() -> None:
    fleet = door.fleet_of(LIST)
    assert [(each.version, each.status, each.leader) for each in fleet.instances] == [
        ("3.6.0", "RUNNING", True),
        ("3.7.0", "UPGRADING", False),
        (None, "STOPPED", False),
    ]


def test_example_of_a_health_report_says_why() -> None:
    said = door.health_of(HEALTH, "kafka-2")
    assert (said.healthy, said.detail.startswith("exit code 1: no package kafka 3.7.0")) == (False, True)


def test_example_of_a_refused_token_names_the_highest() -> None:
    assert door.token_of(STALE["highestToken"]) == 13


def test_limits_of_the_page_are_the_clients() -> None:
    limits = {row[0]: row[1] for row in rows(section(PAGE, "## Times and sizes"))}
    assert limits["connecting"] == f"{client.CONNECT_SECONDS:g} s"
    assert limits["a call in all: connecting, headers, every byte"] == f"{client.CALL_SECONDS:g} s"
    assert limits["an answer"] == f"{client.MAX_BYTES >> 20} MiB"
    assert limits["an idle connection"] == f"is closed after {client.IDLE_SECONDS:g} s"
    request = UpgradeRequest(component_id="c", from_version_id="a", to_version_id="b")
    seconds = {
        "healthCheckTimeoutSeconds": request.health_check_timeout_seconds,
        "healthCheckIntervalSeconds": request.health_check_interval_seconds,
    }
    for name, default in seconds.items():
        assert any(name in limit and f"({default})" in limit for limit in limits.values())
