"""A replacement for Airflow's auth manager: the test sets the users and what each may do."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from fastapi import Request

from upgrade_orchestrator.adapters.airflow.auth.permissions import grant_of
from upgrade_orchestrator.domain.errors import Unauthenticated
from upgrade_orchestrator.domain.operations.permissions import EVERYTHING, Permission, Scope


@dataclass(frozen=True)
class Known:
    """A user, and which action on which resource was granted."""

    name: str
    granted: frozenset[tuple[str, str]]

    def may(self, permission: Permission, scope: Scope = EVERYTHING) -> bool:
        return grant_of(permission, scope) in self.granted


@dataclass
class Authentication:
    """The users by token."""

    known: dict[str, Known] = field(default_factory=dict)

    def admit(self, name: str, permissions: Iterable[Permission]) -> dict[str, str]:
        """The header of a user with these permissions in every tenant."""
        return self.admit_to(name, {grant_of(each) for each in permissions})

    def admit_to(self, name: str, granted: Iterable[tuple[str, str]]) -> dict[str, str]:
        """The header of a user with these permissions on resources, as FAB has them."""
        self.known[f"token-of-{name}"] = Known(name, frozenset(granted))
        return {"Authorization": f"Bearer token-of-{name}"}

    async def authenticate(self, request: Request) -> Known:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.known:
            raise Unauthenticated("Not authenticated")
        return self.known[token]
