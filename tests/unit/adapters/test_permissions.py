"""Our permissions and roles as actions and resources of Airflow's auth manager (FAB)."""

import pytest

from upgrade_orchestrator.adapters.airflow.auth.permissions import (
    AIRFLOW_ADMIN,
    FORMER,
    dag_grants,
    grant_of,
    grants_of,
    resource_of,
    tenant_roles,
)
from upgrade_orchestrator.domain.events.notifications import NoticeKind, notice_dag
from upgrade_orchestrator.domain.operations.permissions import (
    EVERYTHING,
    REGISTRY,
    ROLES,
    Permission,
    Role,
    Scope,
    of_tenant,
)

P = Permission
OURS = {(f"can_{action}", "Upgrades") for action in ("read", "operate", "approve", "administer")}
READ_IN_AIRFLOW = {
    *("Website", "Plugins", "DAG Runs", "DAG Versions", "DAG Dependencies", "DAG Code", "DAG Warnings"),
    *("Task Instances", "Task Logs", "HITL Detail"),
}
PAGES = {("can_read", each) for each in READ_IN_AIRFLOW} | {("menu_access", "DAGs"), ("menu_access", "Task Instances")}
SEEN = PAGES | {("can_read", f"DAG:{each}") for each in ("upgrade_request", *map(notice_dag, NoticeKind))}
ANSWERED = {("can_edit", "HITL Detail"), ("menu_access", "HITL Detail")}
REQUESTED = {("can_edit", "DAG:upgrade_request"), ("can_create", "DAG Run:upgrade_request")}


@pytest.mark.parametrize(
    ("scope", "name"),
    [(EVERYTHING, "Upgrades"), (REGISTRY, "Upgrade Registry"), (of_tenant("550e8400"), "Upgrades:550e8400")],
)
def test_scope_of_a_tenant_is_a_resource_of_its_own(scope: Scope, name: str) -> None:
    assert resource_of(scope) == name


@pytest.mark.parametrize("role", list(Role))
def test_role_is_granted_its_own_permissions_and_no_others(role: Role) -> None:
    assert set(grants_of(role)) & OURS == {grant_of(each) for each in ROLES[role]}


@pytest.mark.parametrize("role", list(Role))
def test_roles_are_granted_the_airflow_permissions_that_their_work_needs(role: Role) -> None:
    answered = ANSWERED if P.APPROVE in ROLES[role] else set()
    requested = REQUESTED if P.OPERATE in ROLES[role] else set()
    assert set(grants_of(role)) - OURS == SEEN | answered | requested


def test_role_of_a_tenant_is_granted_the_pages_and_nothing_of_other_tenants() -> None:
    read = PAGES | {("can_read", "Upgrade Registry"), ("can_read", "Upgrades:t1")}
    assert {name: set(granted) for name, granted in tenant_roles("t1").items()} == {
        "Upgrade Viewer t1": read,
        "Upgrade Operator t1": read | {("can_operate", "Upgrades:t1")},
        "Upgrade Approver t1": read | {("can_approve", "Upgrades:t1")},
    }


def test_no_role_is_granted_anything_on_all_dags_but_the_menu_entry() -> None:
    granted = {each for role in Role for each in grants_of(role)}
    granted |= {each for role in tenant_roles("t1").values() for each in role}
    assert {action for action, resource in granted if resource == "DAGs"} == {"menu_access"}
    assert {each for each in granted if each in FORMER} == set()


def test_rights_on_the_dag_of_an_upgrade_are_to_read_and_for_some_to_edit() -> None:
    found = dag_grants("upgrade__e-1", "t1")
    assert {resource for granted in found.values() for _, resource in granted} == {"DAG:upgrade__e-1"}
    assert {name: [action for action, _ in granted] for name, granted in found.items()} == {
        "Upgrade Viewer": ["can_read"],
        "Upgrade Operator": ["can_read", "can_edit"],
        "Upgrade Approver": ["can_read", "can_edit"],
        "Upgrade Admin": ["can_read", "can_edit"],
        "Upgrade Viewer t1": ["can_read"],
        "Upgrade Operator t1": ["can_read", "can_edit"],
        "Upgrade Approver t1": ["can_read"],
    }


def test_administrators_of_airflow_are_granted_every_permission() -> None:
    assert AIRFLOW_ADMIN[0] == "Admin"
    assert set(AIRFLOW_ADMIN[1]) == OURS
