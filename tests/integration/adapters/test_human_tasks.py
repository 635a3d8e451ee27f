"""Who may approve with Airflow's default auth manager."""

import importlib

import pytest

from upgrade_orchestrator.adapters.airflow.tasks.human_tasks import AirflowHumanTasks

USERS = "olga:OP,ada:ADMIN,ulf:USER,vera:VIEWER"


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> AirflowHumanTasks:
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", USERS)
    app = importlib.import_module(
        "airflow.api_fastapi.app"
    )  # takes seconds, so it runs only in the worker that needs it
    manager = importlib.import_module("airflow.api_fastapi.auth.managers.simple.simple_auth_manager")
    monkeypatch.setattr(app, "get_auth_manager", manager.SimpleAuthManager)
    return AirflowHumanTasks()


@pytest.mark.parametrize(
    ("name", "may"), [("olga", True), ("ada", True), ("ulf", False), ("vera", False), ("unknown", False)]
)
async def test_user_may_approve_by_the_configured_role(people: AirflowHumanTasks, name: str, may: bool) -> None:
    assert await people.may_approve(name, name) is may


async def test_every_user_may_approve_where_all_users_are_admins(
    people: AirflowHumanTasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "True")
    assert await people.may_approve("Anonymous", "Anonymous")
    assert not await people.may_approve("olga", "olga")
