"""Our roles get their rights on the DAGs of upgrades, in Airflow's and FAB's own tables, and on no other DAG."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, insert, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.integration.adapters.conftest import OTHERS, OURS, Sessions
from upgrade_orchestrator.adapters.airflow.auth import dag_rights
from upgrade_orchestrator.adapters.airflow.auth.dag_rights import DagRights
from upgrade_orchestrator.domain.airflow.shards import file_of
from upgrade_orchestrator.domain.errors import Unavailable

FOLDER, BUNDLE = "upgrade_executions", "dags-folder"
FILE, LIKE_OURS = f"{FOLDER}/{file_of(3)}", "upgrade__of_another_team"
READ, EDIT = "can_read", "can_edit"
VIEWER, APPROVER = "Upgrade Viewer", "Upgrade Approver"


@pytest.fixture
def rights() -> DagRights:
    return DagRights(BUNDLE, FOLDER)


@pytest.fixture
def dags(sessions: Sessions) -> Iterator[None]:
    """An upgrade of tenant t1, another team's DAG, and one of theirs that is named and tagged like ours."""
    from airflow.models.dag import DagModel, DagTag
    from airflow.models.dagbundle import DagBundleModel
    from airflow.providers.fab.auth_manager.models import Model

    with sessions() as session:
        Model.metadata.create_all(session.connection())
        session.execute(insert(DagBundleModel.__table__).values(name=BUNDLE, active=True))
    add_dags(sessions, OURS, OTHERS)
    add_dags(sessions, LIKE_OURS, file="team.py")
    yield
    with sessions() as session:
        session.execute(delete(DagTag))
        session.execute(delete(DagModel.__table__))
        session.execute(delete(DagBundleModel.__table__))
        Model.metadata.drop_all(session.connection())


def dag_values() -> dict[str, Any]:
    values = {"bundle_name": BUNDLE, "is_stale": False, "is_paused": False, "max_active_tasks": 1, "max_active_runs": 1}
    values |= {"max_consecutive_failed_dag_runs": 0, "has_task_concurrency_limits": False, "has_import_errors": False}
    return values | {"last_parsed_time": datetime.now(UTC)}


def add_dags(sessions: Sessions, *dag_ids: str, tenant: str = "t1", file: str = FILE) -> None:
    from airflow.models.dag import DagModel, DagTag

    with sessions() as session:
        for dag_id in dag_ids:
            session.execute(insert(DagModel.__table__).values(dag_id=dag_id, relative_fileloc=file, **dag_values()))
            session.execute(insert(DagTag.__table__).values(dag_id=dag_id, name=f"tenant:{tenant}"))


def assoc_permission_role() -> Any:
    from airflow.providers.fab.auth_manager.models import assoc_permission_role as table

    return table


def make_roles(sessions: Sessions, *names: str) -> None:
    from airflow.providers.fab.auth_manager.models import Role

    with sessions() as session:
        session.add_all(Role(name=name) for name in names)


def held(sessions: Sessions) -> dict[str, set[tuple[str, str]]]:
    from airflow.providers.fab.auth_manager.models import Role

    with sessions() as session:
        roles = session.scalars(select(Role)).unique()
        return {each.name: {(one.action.name, one.resource.name) for one in each.permissions} for each in roles}


async def test_roles_that_exist_get_their_rights_and_missing_ones_are_no_error(
    sessions: Sessions, dags: None, rights: DagRights
) -> None:
    make_roles(
        sessions, VIEWER, APPROVER, f"{APPROVER} t1", "Upgrade Operator t1", "Upgrade Operator t2", "Upgrade Team"
    )
    for _ in range(2):  # repeating changes nothing
        await rights.grant()
        assert held(sessions) == {
            VIEWER: {(READ, f"DAG:{OURS}")},
            APPROVER: {(READ, f"DAG:{OURS}"), (EDIT, f"DAG:{OURS}")},
            f"{APPROVER} t1": {(READ, f"DAG:{OURS}")},
            "Upgrade Operator t1": {(READ, f"DAG:{OURS}"), (EDIT, f"DAG:{OURS}")},
            "Upgrade Operator t2": set(),
            "Upgrade Team": set(),
        }


async def test_role_that_is_made_later_gets_the_rights_on_dags_that_exist(
    sessions: Sessions, dags: None, rights: DagRights
) -> None:
    await rights.grant()
    make_roles(sessions, VIEWER)
    await rights.grant()
    assert held(sessions) == {VIEWER: {(READ, f"DAG:{OURS}")}}


async def test_rights_that_an_administrator_took_away_are_not_granted_again_by_the_same_process(
    sessions: Sessions, dags: None, rights: DagRights
) -> None:
    from airflow.providers.fab.auth_manager.models import assoc_permission_role

    make_roles(sessions, VIEWER)
    await rights.grant()
    with sessions() as session:
        session.execute(delete(assoc_permission_role))
    await rights.grant()
    assert held(sessions) == {VIEWER: set()}


async def test_role_that_is_deleted_and_made_again_gets_the_rights(
    sessions: Sessions, dags: None, rights: DagRights
) -> None:
    from airflow.providers.fab.auth_manager.models import Role

    make_roles(sessions, VIEWER, APPROVER)
    await rights.grant()
    with sessions() as session:
        session.execute(delete(assoc_permission_role()))
        session.execute(delete(Role).where(Role.name == VIEWER))
    await rights.grant()  # a role less is no reason to grant again
    assert held(sessions) == {APPROVER: set()}
    make_roles(sessions, VIEWER)
    await rights.grant()
    assert held(sessions)[VIEWER] == {(READ, f"DAG:{OURS}")}


async def test_grants_of_many_dags_are_made_in_several_transactions_of_few_statements(
    sessions: Sessions, dags: None, rights: DagRights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dag_rights, "AT_ONCE", 2)
    more = [f"upgrade__more-{number}" for number in range(4)]
    add_dags(sessions, *more)
    make_roles(sessions, VIEWER)
    with sessions() as session:
        engine, commits = session.get_bind(), list[object]()
    event.listen(engine, "commit", commits.append)
    await rights.grant()
    assert len(commits) == 3
    assert held(sessions) == {VIEWER: {(READ, f"DAG:{each}") for each in (OURS, *more)}}


async def test_rights_that_could_not_be_committed_are_granted_by_the_next_call(
    sessions: Sessions, dags: None, rights: DagRights, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_roles(sessions, VIEWER)

    @contextmanager
    def failing() -> Iterator[Session]:
        with sessions() as session:
            yield session
            raise OperationalError("COMMIT", None, Exception("the server is gone"))

    with monkeypatch.context() as patched:
        patched.setattr("airflow.utils.session.create_session", failing)
        with pytest.raises(Unavailable):
            await rights.grant()
    assert held(sessions) == {VIEWER: set()}
    await rights.grant()
    assert held(sessions) == {VIEWER: {(READ, f"DAG:{OURS}")}}


async def test_two_leaders_that_grant_the_same_at_once_do_not_fail(sessions: Sessions, dags: None) -> None:
    make_roles(sessions, VIEWER)
    more = [f"upgrade__more-{number:03}" for number in range(150)]
    add_dags(sessions, *more)
    await asyncio.gather(*(DagRights(BUNDLE, FOLDER).grant() for _ in range(2)))
    assert held(sessions) == {VIEWER: {(READ, f"DAG:{each}") for each in (OURS, *more)}}


async def test_tables_that_hang_take_one_thread_however_often_it_is_tried(
    sessions: Sessions, dags: None, rights: DagRights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("upgrade_orchestrator.adapters.airflow.database.ANSWER_SECONDS", 0.2)
    make_roles(sessions, VIEWER)
    with sessions() as session:
        session.execute(text("LOCK TABLE ab_permission_view_role"))
        for call in (rights.grant, rights.grant, rights.forget):
            with pytest.raises(Unavailable):
                await call()
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        assert session.scalar(text(waiting)) == 1
    monkeypatch.undo()


@pytest.mark.parametrize(("hours", "stale", "left"), [(25, True, False), (23, True, True), (25, False, True)])
async def test_rights_on_a_dag_that_is_gone_for_a_day_are_taken_back(
    sessions: Sessions, dags: None, rights: DagRights, hours: float, stale: bool, left: bool
) -> None:
    from airflow.models.dag import DagModel

    make_roles(sessions, VIEWER)
    await rights.grant()
    parsed = datetime.now(UTC) - timedelta(hours=hours)
    with sessions() as session:
        session.execute(update(DagModel.__table__).values(is_stale=stale, last_parsed_time=parsed))
    await rights.forget()
    assert held(sessions) == {VIEWER: {(READ, f"DAG:{OURS}")} if left else set()}
