"""The DAGs that send notices: which exist, what a notifier gets, and that a broken one does not affect others."""

import runpy
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.models.serialized_dag import SerializedDagModel
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import LazyDeserializedDAG

from tests.architecture.sources import ROOT
from tests.dags.conftest import Add
from upgrade_orchestrator.domain.events.event_metrics import RecordedEvent
from upgrade_orchestrator.domain.events.notifications import Notice, NoticeKind, notice_dag, notice_of
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import DAG_PREFIX
from upgrade_orchestrator.flow.notifications.dags import build_notifications
from upgrade_orchestrator.flow.notifications.notifiers import load_notifiers

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HERE = "tests.dags.notifiers"
FAILED, ASKED, BACK = NoticeKind.FAILED, NoticeKind.APPROVAL_REQUESTED, NoticeKind.ROLLED_BACK


@pytest.fixture
def notices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the notifiers of the tests write to; they are set."""
    path = tmp_path / "notices"
    path.touch()
    monkeypatch.setenv("NOTICES_FILE", str(path))
    monkeypatch.setenv("AIRFLOW__UPGRADES__NOTIFIERS", f"{HERE}:NOTIFIERS")
    return path


def _tasks(dag: DAG) -> list[str]:
    return sorted(each.task_id for each in dag.tasks)


def _run(kind: NoticeKind, number: int, execution_id: str, **data: Any) -> None:
    conf = {"notice": kind.value, "executionId": execution_id, "sequence": 7, "time": NOW.isoformat(), "data": data}
    task = build_notifications()[notice_dag(kind)].get_task(f"notifier_{number}")
    task.execute({"dag_run": SimpleNamespace(conf=conf)})


def test_notification_dag_does_not_exist_without_a_configured_notifier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW__UPGRADES__NOTIFIERS", raising=False)
    assert build_notifications() == {}


@pytest.mark.usefixtures("notices")
def test_notification_file_has_a_dag_for_each_kind_with_a_task_for_each_notifier() -> None:
    found = runpy.run_path(str(ROOT / "dags/upgrade_notifications.py"))
    dags = {name: _tasks(each) for name, each in found.items() if isinstance(each, DAG)}
    assert dags == {
        notice_dag(FAILED): ["notifier_1", "notifier_2"],
        notice_dag(ASKED): ["notifier_1"],
        notice_dag(BACK): ["nobody_to_notify"],
    }
    assert not [each for each in dags if each.startswith(DAG_PREFIX)], "the reconciler would take it for an upgrade's"


@pytest.mark.usefixtures("notices")
def test_notification_dags_keep_their_version_when_parsed_again() -> None:
    hashes = [
        {SerializedDagModel.hash(LazyDeserializedDAG.from_dag(each).data) for each in build_notifications().values()}
        for _ in range(2)
    ]
    assert hashes[0] == hashes[1]


@pytest.mark.usefixtures("notices")
def test_notifiers_of_a_notice_run_independently() -> None:
    dag = build_notifications()[notice_dag(FAILED)]
    assert not any(each.downstream_task_ids for each in dag.tasks)
    assert all(each.retries > 0 and each.execution_timeout for each in dag.tasks)
    assert dag.max_active_tasks == 2, "notifiers that hang must leave workers to the upgrades"


def test_notifier_receives_the_upgrade_and_the_event(executions: Add, notices: Path) -> None:
    execution = executions(started_at=NOW)
    _run(FAILED, 2, execution.id, reason="too many failures", to="FAILED")
    _run(ASKED, 1, execution.id, stage=2)
    assert notices.read_text().splitlines() == [
        f"{execution.id} of {execution.tenant_id} failed: too many failures",
        f"{execution.id} waits before stage 2",
    ]


def test_notifier_is_reused_for_the_next_notice(executions: Add, notices: Path) -> None:
    first, second = executions(started_at=NOW), executions(started_at=NOW)
    for each in (first, second):
        _run(ASKED, 1, each.id, stage=2)
    assert notices.read_text().splitlines() == [f"{each.id} waits before stage 2" for each in (first, second)]


def test_notifier_that_fails_fails_its_own_task_only(executions: Add, notices: Path) -> None:
    execution = executions(started_at=NOW)
    with pytest.raises(ConnectionError, match="no connection"):
        _run(FAILED, 1, execution.id, reason="why")
    _run(FAILED, 2, execution.id, reason="why")
    assert notices.read_text().count("why") == 1


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("nonsense", "must be module:NAME"),
        (f"{HERE}:NOT_THERE", "cannot be loaded: .*NOT_THERE"),
        ("no.such.module:X", "cannot be loaded: No module"),
        (f"{HERE}:UNKNOWN_NAME", "knows approval-requested, failed, rolled-back; not failure"),
        (f"{HERE}:NO_LIST", "failed must be a list of Airflow notifiers"),
        (f"{HERE}:NO_NOTIFIER", "failed must be a list of Airflow notifiers"),
        (f"{HERE}:NO_MAPPING", "must be a mapping, not list"),
    ],
)
def test_invalid_notifier_setting_is_refused_with_an_example(reference: str, message: str) -> None:
    with pytest.raises(ValueError, match=rf"\[upgrades\] notifiers.*{message}"):
        load_notifiers(reference)


@pytest.mark.parametrize(
    ("what", "data", "kind"),
    [
        (EventType.STATUS_CHANGED, {"to": "FAILED"}, FAILED),
        (EventType.STATUS_CHANGED, {"to": "ROLLED_BACK"}, BACK),
        (EventType.STATUS_CHANGED, {"to": "CANCELLED"}, None),
        (EventType.STATUS_CHANGED, {"to": "ROLLING_BACK"}, None),
        (EventType.APPROVAL_REQUESTED, {"stage": 2}, ASKED),
    ],
)
def test_notice_is_made_of_exactly_the_documented_events(
    what: EventType, data: dict[str, Any], kind: NoticeKind | None
) -> None:
    notice = notice_of(RecordedEvent("e-1", 3, what, data, NOW, "ROLLING", None))
    assert notice == (Notice(kind, "e-1", 3, NOW, data) if kind else None)
