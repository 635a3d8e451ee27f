"""The four roles of contract section 9, made in FAB when it is the auth manager."""

from __future__ import annotations

from include.upgrades.domain.permissions import AIRFLOW_ADMIN, ROLES


def make_roles() -> str:
    """Make roles and permissions that are missing; says what was done.

    With another auth manager there is nothing to make: it maps its own roles.
    """
    from airflow.configuration import conf

    if "FabAuthManager" not in conf.get("core", "auth_manager"):
        return "the auth manager keeps its own roles"
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        manager = builder.sm
        for role_name, permissions in (*ROLES.items(), AIRFLOW_ADMIN):
            role = manager.add_role(role_name)
            for action, resource in permissions:
                manager.add_permission_to_role(role, manager.create_permission(action, resource))
    return f"roles {', '.join(ROLES)} exist"
