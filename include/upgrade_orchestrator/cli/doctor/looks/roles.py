"""The roles in FAB; any other auth manager brings its own."""

from __future__ import annotations

from collections.abc import Iterator

from upgrade_orchestrator.cli.doctor.finding import Finding, error, well

_SET_UP = "run: airflow upgrades setup"


def look_at_roles() -> Iterator[Finding]:
    """Whether each role is there, with all that the set-up of this version grants it."""
    from airflow.configuration import conf

    manager = conf.get("core", "auth_manager").rsplit(".", 1)[-1]
    if "FabAuthManager" not in manager:
        yield well("roles", f"{manager} has its own")
        return
    yield from _of_fab()


def _of_fab() -> Iterator[Finding]:
    from upgrade_orchestrator.adapters.airflow.auth.permissions import grants_of
    from upgrade_orchestrator.domain.operations.permissions import Role

    found = _granted([role.value for role in Role])
    if missing := [role.value for role in Role if role.value not in found]:
        yield error("roles", f"{', '.join(missing)} not made yet", _SET_UP)
    elif lacking := [role.value for role in Role if not found[role.value].issuperset(grants_of(role))]:
        yield error("roles", f"{', '.join(lacking)} lack rights of this version", _SET_UP)
    else:
        yield well("roles", f"{', '.join(found)} exist")


def _granted(names: list[str]) -> dict[str, set[tuple[str, str]]]:
    """Action and resource of every grant, by role."""
    from airflow.providers.fab.auth_manager.models import Role
    from sqlalchemy import select

    from upgrade_orchestrator.adapters.airflow.database import Session, within_session

    def read(session: Session) -> dict[str, set[tuple[str, str]]]:
        rows = session.scalars(select(Role).where(Role.name.in_(names)).order_by(Role.id)).unique()
        return {role.name: {(each.action.name, each.resource.name) for each in role.permissions} for role in rows}

    return within_session(read)
