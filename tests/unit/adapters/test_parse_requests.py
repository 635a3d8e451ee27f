"""A parse request never fails a start, and is not repeated at once."""

import json
import logging

import pytest

from upgrade_orchestrator.adapters.airflow import parse_requests
from upgrade_orchestrator.adapters.airflow.bundles import UPGRADES_BUNDLE, configured_bundle
from upgrade_orchestrator.adapters.airflow.parse_requests import AirflowParseRequests, NoParseRequests


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Airflow's database does not answer; every attempt is counted."""
    attempts: list[object] = []

    async def away(act: object) -> None:
        attempts.append(act)
        raise OSError("away")

    monkeypatch.setattr(parse_requests, "ask_airflow", away)
    return attempts


async def test_unreachable_database_is_logged_as_a_warning(
    asked: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    await AirflowParseRequests("bundle", "folder").ask("e-1")
    assert "could not ask for the DAG of execution e-1" in caplog.text
    assert len(asked) == 1


async def test_parse_of_an_execution_is_not_requested_twice_within_seconds(asked: list[object]) -> None:
    requests = AirflowParseRequests("bundle", "folder")
    for execution_id in ("e-1", "e-1", "e-2", "e-1"):
        await requests.ask(execution_id)
    assert len(asked) == 2


async def test_parse_of_an_execution_is_requested_again_later(
    asked: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = AirflowParseRequests("bundle", "folder")
    await requests.ask("e-1")
    monkeypatch.setattr(parse_requests, "ASK_AGAIN_SECONDS", 0.0)
    await requests.ask("e-1")
    assert len(asked) == 2


async def test_worker_requests_no_parse_and_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await NoParseRequests().ask("e-1")
    assert caplog.text == ""


def test_bundle_is_the_configured_one_of_the_products_class_or_else_airflows_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert configured_bundle() == "dags-folder"
    local = {"name": "team", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle", "kwargs": {}}
    ours = {"name": "of-upgrades", "classpath": UPGRADES_BUNDLE, "kwargs": {}}
    for bundles, name in (([local], "dags-folder"), ([local, ours], "of-upgrades"), ([], "dags-folder")):
        monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps(bundles))
        assert configured_bundle() == name
