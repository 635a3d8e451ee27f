"""The user behind a request and what Airflow's auth manager grants (specification section 9; API server only)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from upgrade_orchestrator.adapters.airflow.auth.permissions import action_of, resource_of
from upgrade_orchestrator.domain.errors import Unauthenticated, Unavailable
from upgrade_orchestrator.domain.operations.permissions import EVERYTHING, Permission, Scope


@dataclass(frozen=True, slots=True)
class AirflowUser:
    """An authenticated user of Airflow."""

    name: str
    user: Any

    def may(self, permission: Permission, scope: Scope = EVERYTHING) -> bool:
        """Whether the auth manager grants ``permission`` on ``scope``."""
        from airflow.api_fastapi.app import get_auth_manager

        manager: Any = get_auth_manager()
        action, resource = action_of(permission), resource_of(scope)
        granted = manager.is_authorized_custom_view(method=action, resource_name=resource, user=self.user)
        return bool(granted) and _is_high_enough(manager, self.user, permission)


def _is_high_enough(manager: Any, user: Any, permission: Permission) -> bool:
    """SimpleAuthManager lets viewers do everything in a custom view, so ask it for a comparable right in Airflow."""
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

    if not isinstance(manager, SimpleAuthManager) or permission is Permission.READ:
        return True
    if permission is Permission.OPERATE:
        return bool(manager.is_authorized_dag(method="PUT", user=user))
    return bool(manager.is_authorized_connection(method="PUT", user=user))


async def user_of(request: Any) -> AirflowUser:
    """The user of the bearer token, or else of the UI's cookie, as for calls of Airflow's own API.

    :raises Unauthenticated: there is no token, or it is not valid.
    :raises Unavailable: Airflow's database does not respond.
    """
    from airflow.api_fastapi.core_api.security import bearer_scheme, get_user
    from fastapi import HTTPException
    from sqlalchemy.exc import OperationalError

    try:
        user = await get_user(request, None, await bearer_scheme(request))
    except HTTPException as refusal:
        raise Unauthenticated(f"{refusal.detail}: send Authorization: Bearer with a token of Airflow") from None
    except OperationalError as error:
        raise Unavailable("Airflow's database does not answer") from error
    return AirflowUser(user.get_name(), user)
