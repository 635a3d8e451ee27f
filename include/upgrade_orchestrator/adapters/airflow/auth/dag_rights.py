"""The rights of our roles on the DAGs of upgrades, in FAB's tables: on those DAGs and on no others (API server only).

Not by ``access_control`` of the DAG: there a role that does not exist is an import error, which stops every upgrade of
the file; and a role that is created later would give running upgrades another DAG version (ADR 40).
"""

from __future__ import annotations

import logging
from datetime import timedelta

from upgrade_orchestrator.adapters.airflow.auth.permissions import Grant, dag_grants
from upgrade_orchestrator.adapters.airflow.bundles import configured_bundle
from upgrade_orchestrator.adapters.airflow.database import Session, ask_airflow
from upgrade_orchestrator.domain.airflow.shards import SHARDS, file_of
from upgrade_orchestrator.domain.execution.execution import DAG_PREFIX
from upgrade_orchestrator.domain.operations.permissions import Role as OurRole

log = logging.getLogger(__name__)

TENANT_TAG = "tenant:"
KEPT = timedelta(days=1)
"How long the rights on a DAG remain after Airflow has last read it: a file with an error comes back."


def has_fab() -> bool:
    """Whether FAB is Airflow's auth manager; others have no rights for each DAG, or none that we could grant."""
    from airflow.configuration import conf

    return "FabAuthManager" in conf.get("core", "auth_manager").rsplit(".", 1)[-1]


class DagRights:
    """Grants them for each DAG once; a new role, or a new leader of the control loops, goes through all DAGs again."""

    def __init__(self, bundle: str | None, folder: str) -> None:
        """With ``bundle`` None, the bundle is read from Airflow's configuration."""
        self._bundle = bundle
        self._files = [f"{folder}/{file_of(shard)}" for shard in range(SHARDS)]
        self._roles: frozenset[str] = frozenset()
        self._done: frozenset[str] = frozenset()

    async def grant(self) -> None:
        """Grant what is missing, to the roles that exist. Never takes anything away that an administrator has granted.

        :raises Unavailable: Airflow's database does not answer.
        """
        if await ask_airflow(self._grant):
            from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager

            FabAuthManager.cache.clear()  # else users of this process get the rights only after [fab] cache_ttl

    async def forget(self) -> None:
        """Take the rights on DAGs that are gone: each user's rights are read at once, and would become ever more.

        :raises Unavailable: Airflow's database does not answer.
        """
        await ask_airflow(_forget)

    def _grant(self, session: Session) -> bool:
        roles = _our_roles(session)
        done = self._done if roles.keys() == self._roles else frozenset()
        dags = self._dags(session)
        added = [each for each in dags.items() if each[0] not in done]
        for dag_id, tenant_id in added:
            _grant_all(session, roles, dag_grants(dag_id, tenant_id))
        self._roles, self._done = frozenset(roles), frozenset(dags)
        return bool(added)

    def _dags(self, session: Session) -> dict[str, str]:
        """The tenant of each upgrade's DAG that Airflow has read from our files."""
        from airflow.models.dag import DagModel, DagTag
        from sqlalchemy import select

        ours = DagModel.dag_id.startswith(DAG_PREFIX, autoescape=True), DagModel.relative_fileloc.in_(self._files)
        bundle = DagModel.bundle_name == (self._bundle or configured_bundle())
        query = select(DagModel.dag_id, DagTag.name).join(DagTag, DagTag.dag_id == DagModel.dag_id)
        tagged = DagTag.name.startswith(TENANT_TAG, autoescape=True)
        found = session.execute(query.where(*ours, bundle, tagged, DagModel.is_stale.is_(False)))
        return {dag_id: tag.removeprefix(TENANT_TAG) for dag_id, tag in found}


def _our_roles(session: Session) -> dict[str, int]:
    """The ids of the roles that set-up creates, and of those of tenants, as far as they exist."""
    from airflow.providers.fab.auth_manager.models import Role
    from sqlalchemy import or_, select

    ours = or_(*(Role.name.startswith(each.value) for each in OurRole))
    return {name: number for number, name in session.execute(select(Role.id, Role.name).where(ours))}


def _grant_all(session: Session, roles: dict[str, int], grants: dict[str, tuple[Grant, ...]]) -> None:
    """In one transaction: if another process grants the same at the same moment, the next call finds it done."""
    from airflow.providers.fab.auth_manager.models import assoc_permission_role as table
    from sqlalchemy import insert, select

    for name, grant in [(name, each) for name, granted in grants.items() if name in roles for each in granted]:
        pair = {"role_id": roles[name], "permission_view_id": _permission(session, *grant)}
        if session.execute(select(table.c.id).filter_by(**pair)).first() is None:
            session.execute(insert(table).values(**pair))


def _permission(session: Session, action: str, resource: str) -> int:
    """Its id. Airflow has made it when it read the DAG, unless FAB was not the auth manager then."""
    from airflow.providers.fab.auth_manager.models import Action, Permission, Resource
    from sqlalchemy import select

    named = select(Permission.id).join(Permission.action).join(Permission.resource)
    found = session.scalar(named.where(Action.name == action, Resource.name == resource))
    if found is None:
        of_action = session.scalar(select(Action).where(Action.name == action)) or Action(name=action)
        of_resource = session.scalar(select(Resource).where(Resource.name == resource)) or Resource(name=resource)
        made = Permission(action=of_action, resource=of_resource)
        session.add(made)
        session.flush()
        found = made.id
    return int(found)


def _forget(session: Session) -> None:
    from airflow._shared.timezones.timezone import utcnow
    from airflow.models.dag import DagModel
    from airflow.providers.fab.auth_manager.models import Permission, Resource, assoc_permission_role
    from sqlalchemy import and_, delete, exists, not_, or_, select

    recent = or_(DagModel.is_stale.is_(False), DagModel.last_parsed_time > utcnow() - KEPT)
    known = exists().where(and_(Resource.name == "DAG:" + DagModel.dag_id, recent))
    gone = select(Permission.id).join(Resource, Permission.resource_id == Resource.id)
    gone = gone.where(Resource.name.startswith(f"DAG:{DAG_PREFIX}", autoescape=True), not_(known))
    ours, table = list(_our_roles(session).values()), assoc_permission_role
    session.execute(delete(table).where(table.c.role_id.in_(ours), table.c.permission_view_id.in_(gone)))
