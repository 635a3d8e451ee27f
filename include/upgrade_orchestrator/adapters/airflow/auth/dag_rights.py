"""The rights of our roles on the DAGs of upgrades, in FAB's tables: on those DAGs and on no others (API server only).

Not by ``access_control`` of the DAG: there a role that does not exist is an import error, which stops every upgrade of
the file; and a role that is created later would give running upgrades another DAG version (ADR 40).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from threading import Lock
from typing import Any, TypeVar

from upgrade_orchestrator.adapters.airflow.auth.permissions import Grant, dag_grants
from upgrade_orchestrator.adapters.airflow.bundles import configured_bundle
from upgrade_orchestrator.adapters.airflow.database import Session, ask_airflow
from upgrade_orchestrator.domain.airflow.shards import SHARDS, file_of
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.execution import DAG_PREFIX
from upgrade_orchestrator.domain.operations.permissions import Role as OurRole

T = TypeVar("T")

AT_ONCE = 100
"DAGs in one transaction: a second where a new role goes through a thousand."
TENANT_TAG = "tenant:"
KEPT = timedelta(days=1)
"How long the rights on a DAG remain after Airflow has last read it: a file with an error comes back."


def has_fab() -> bool:
    """Whether FAB is Airflow's auth manager; others have no rights for each DAG, or none that we could grant."""
    from airflow.configuration import conf

    return "FabAuthManager" in conf.get("core", "auth_manager").rsplit(".", 1)[-1]


@dataclass(frozen=True, slots=True)
class Granted:
    """The roles with their ids, and the DAGs on which each of them has its rights; ``more``: other DAGs are left."""

    roles: Mapping[str, int] = field(default_factory=dict)
    dag_ids: frozenset[str] = frozenset()
    is_new: bool = False
    more: bool = False


class DagRights:
    """Grants them for each DAG once; a new role, or a new leader of the control loops, goes through all DAGs again."""

    def __init__(self, bundle: str | None, folder: str) -> None:
        """With ``bundle`` None, the bundle is read from Airflow's configuration."""
        self._bundle = bundle
        self._files = [f"{folder}/{file_of(shard)}" for shard in range(SHARDS)]
        self._granted = Granted()
        self._at_work = Lock()

    async def grant(self) -> None:
        """Grant what is missing, to the roles that exist. Never takes anything away that an administrator has granted.

        :raises Unavailable: Airflow's database does not answer.
        """
        more = True
        while more:
            granted = await ask_airflow(partial(self._one_at_a_time, self._grant))
            if granted.is_new:
                _forget_what_users_may()
            self._granted, more = granted, granted.more  # only now: what was not committed is tried again

    async def forget(self) -> None:
        """Take the rights on DAGs that are gone: each user's rights are read at once, and would become ever more.

        :raises Unavailable: Airflow's database does not answer.
        """
        await ask_airflow(partial(self._one_at_a_time, _forget))

    def _one_at_a_time(self, act: Callable[[Session], T], session: Session) -> T:
        """A call that hangs keeps its thread after the caller has given up: more would take all that the loops share.

        :raises Unavailable: an earlier call hangs.
        """
        if not self._at_work.acquire(blocking=False):
            raise Unavailable("Airflow's database has not answered an earlier call about rights on DAGs")
        try:
            return act(session)
        finally:
            self._at_work.release()

    def _grant(self, session: Session) -> Granted:
        roles, dags, before = _our_roles(session), self._dags(session), self._granted
        done = before.dag_ids & dags.keys() if roles.items() <= before.roles.items() else frozenset()
        missing = sorted(dags.keys() - done)
        now = missing[:AT_ONCE]
        if now and roles:
            _grant_all(session, roles, [dag_grants(each, dags[each]) for each in now])
        return Granted(roles, done.union(now), is_new=bool(now), more=len(missing) > len(now))

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


def _grant_all(session: Session, roles: Mapping[str, int], all_grants: Iterable[Mapping[str, Iterable[Grant]]]) -> None:
    """In one transaction; what another process grants at the same moment is no error."""
    from airflow.providers.fab.auth_manager.models import assoc_permission_role as table
    from sqlalchemy import select
    from sqlalchemy.dialects.postgresql import insert

    wanted = [
        (roles[name], one) for grants in all_grants for name in grants.keys() & roles.keys() for one in grants[name]
    ]
    ids = _permissions(session, {grant for _, grant in wanted})
    held = select(table.c.role_id, table.c.permission_view_id).where(table.c.permission_view_id.in_(ids.values()))
    missing = sorted({(role, ids[grant]) for role, grant in wanted} - {tuple(row) for row in session.execute(held)})
    if missing:
        rows = [{"role_id": role, "permission_view_id": permission} for role, permission in missing]
        session.execute(insert(table).values(rows).on_conflict_do_nothing())


def _permissions(session: Session, grants: Set[Grant]) -> dict[Grant, int]:
    """Their ids. Airflow has made them when it read the DAG, or does so now, unless FAB is not its auth manager."""
    found = _found(session, grants)
    if missing := sorted(grants - found.keys()):
        _make(session, missing)
        found = _found(session, grants)
    return found


def _found(session: Session, grants: Set[Grant]) -> dict[Grant, int]:
    from airflow.providers.fab.auth_manager.models import Action, Permission, Resource
    from sqlalchemy import select

    query = select(Action.name, Resource.name, Permission.id).join(Permission.action).join(Permission.resource)
    rows = session.execute(query.where(Resource.name.in_({resource for _, resource in grants})))
    return {(action, resource): int(number) for action, resource, number in rows if (action, resource) in grants}


def _make(session: Session, grants: Sequence[Grant]) -> None:
    from airflow.providers.fab.auth_manager.models import Action, Permission, Resource
    from sqlalchemy import select
    from sqlalchemy.dialects.postgresql import insert

    ids = dict[Any, dict[str, int]]()
    for model, names in ((Action, {action for action, _ in grants}), (Resource, {each for _, each in grants})):
        rows = [{"name": each} for each in sorted(names)]
        session.execute(insert(model.__table__).values(rows).on_conflict_do_nothing())
        ids[model] = {n: i for i, n in session.execute(select(model.id, model.name).where(model.name.in_(names)))}
    pairs = [{"permission_id": ids[Action][one], "view_menu_id": ids[Resource][other]} for one, other in grants]
    session.execute(insert(Permission.__table__).values(pairs).on_conflict_do_nothing())


def _forget_what_users_may() -> None:
    """Else users of this process get the rights only after ``[fab] cache_ttl``."""
    from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager

    FabAuthManager.cache.clear()


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
