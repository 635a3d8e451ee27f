"""DAG files in a real parsing process of Airflow's dag processor: an error must not look like an empty file."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from local.ports import HOST, free_port
from tests.architecture.sources import ROOT
from tests.dags.built import started
from tests.dags.conftest import Add
from upgrade_orchestrator.domain.airflow.shards import shard_file

Parse = Callable[[str], Any]
DAGS = ROOT / "dags"
NO_CONNECTION = "no_such_connection"


@pytest.fixture
def parse() -> Parse:
    """Parses a file as the dag processor does, in a process that it forks."""
    from airflow.dag_processing.processor import DagFileProcessorProcess

    def parsed(file: str) -> Any:
        process = DagFileProcessorProcess.start(
            id=1,
            path=DAGS / file,
            bundle_path=DAGS,
            bundle_name="dags-folder",
            dag_file_rel_path=file,
            callbacks=[],
            client=NoConnections(),
            logger=structlog.get_logger(),
            logger_filehandle=io.BytesIO(),
        )
        while not process.is_ready:
            process._service_subprocess(0.1)
        return process.parsing_result

    return parsed


class NoConnections:
    """An Airflow in which no connection is defined."""

    @property
    def connections(self) -> "NoConnections":
        return self

    def get(self, conn_id: str) -> Any:
        from airflow.sdk.exceptions import ErrorType
        from airflow.sdk.execution_time.comms import ErrorResponse

        return ErrorResponse(error=ErrorType.CONNECTION_NOT_FOUND, detail={"conn_id": conn_id})


def test_database_that_is_away_is_an_import_error(parse: Parse, monkeypatch: pytest.MonkeyPatch) -> None:
    away = {"conn_type": "postgres", "host": HOST, "port": free_port(), "login": "u", "schema": "u"}
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", json.dumps(away))
    result = parse("upgrade_executions/shard_3.py")
    assert list(result.import_errors) == ["upgrade_executions/shard_3.py"]
    assert "refused" in next(iter(result.import_errors.values()))


def test_missing_connection_is_an_import_error(parse: Parse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__UPGRADES__DB_CONN_ID", NO_CONNECTION)
    result = parse("upgrade_executions/shard_3.py")
    assert list(result.import_errors) == ["upgrade_executions/shard_3.py"]
    assert NO_CONNECTION in next(iter(result.import_errors.values()))


def test_database_that_responds_gives_the_dags(parse: Parse, executions: Add) -> None:
    execution = started(executions)
    result = parse(f"upgrade_executions/{shard_file(execution.id)}")
    assert result.import_errors == {}
    assert [each.dag_id for each in result.serialized_dags] == [execution.dag_id]


@pytest.mark.parametrize(
    ("file", "dags"), [("upgrade_request.py", ["upgrade_request"]), ("upgrade_notifications.py", [])]
)
def test_files_that_need_no_database_are_read_without_it(
    parse: Parse, file: str, dags: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__UPGRADES__DB_CONN_ID", NO_CONNECTION)
    result = parse(file)
    assert (result.import_errors, [each.dag_id for each in result.serialized_dags]) == ({}, dags)
