"""Creates the roles of specification section 9 in FAB, when FAB is the auth manager."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from upgrade_orchestrator.adapters.airflow.auth.permissions import AIRFLOW_ADMIN, FORMER, grants_of, tenant_roles
from upgrade_orchestrator.domain.operations.permissions import Role

_MAX_NAME_LENGTH = 64
"Maximum length of a role's name in FAB."


def make_roles(tenant_ids: Iterable[str] = ()) -> str:
    """Create missing roles and permissions, including those limited to each of these tenants; return a summary.

    What earlier versions granted on every DAG of the Airflow is taken back from our roles.

    Any other auth manager maps its own roles: nothing is created.

    :raises ValueError: a tenant's id is too long for a role's name.
    """
    roles = {role.value: grants_of(role) for role in Role}
    roles |= {name: each for tenant_id in tenant_ids for name, each in tenant_roles(tenant_id).items()}
    if too_long := [name for name in roles if len(name) > _MAX_NAME_LENGTH]:
        raise ValueError(f"a role's name may have {_MAX_NAME_LENGTH} characters: {too_long[0]}")
    from airflow.configuration import conf

    auth_manager = conf.get("core", "auth_manager").rsplit(".", 1)[-1]
    if "FabAuthManager" not in auth_manager:
        return f"no roles to make: {auth_manager} has its own (docs/adopt.md says what they may)"
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        manager = builder.sm
        for role_name, permissions in (*roles.items(), AIRFLOW_ADMIN):
            role = manager.add_role(role_name)
            for action, resource in permissions:
                manager.add_permission_to_role(role, manager.create_permission(action, resource))
        for role_name, former in product(roles, FORMER):
            manager.remove_permission_from_role(manager.find_role(role_name), manager.get_permission(*former))
    return f"roles {', '.join(roles)} exist"
