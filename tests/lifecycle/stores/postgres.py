"""The lifecycle machine's store on PostgreSQL."""

from __future__ import annotations

from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from tests.lifecycle.stepped import LEASE_SECONDS, Clock
from upgrade_orchestrator.bootstrap import close_ports, ports_for
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.settings import Settings


class PostgresStore:
    """The database at ``url``; see stores.py."""

    def __init__(self, url: str) -> None:
        self._url = url
        dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection: psycopg.Connection[Any] = psycopg.connect(dsn, autocommit=True)

    def ports(self, clock: Clock) -> Ports:
        """Leases are long, because they expire by the real clock."""
        return ports_for(self._url, Settings(lease_seconds=LEASE_SECONDS, backup_roots="file:///"))

    def everything(self, tenant: str) -> Any:
        return self._select(
            "SELECT to_jsonb(e), (SELECT jsonb_agg(i ORDER BY i.instance_id) FROM instance i"
            " WHERE i.execution_id = e.id), (SELECT jsonb_agg(b ORDER BY b.number) FROM batch b"
            " WHERE b.execution_id = e.id), (SELECT count(*) FROM command c WHERE c.execution_id = e.id)"
            " FROM execution e WHERE e.tenant_id = %s ORDER BY e.id",
            tenant,
        )

    def unsettled(self, tenant: str) -> list[str]:
        query = "SELECT id FROM execution WHERE tenant_id = %s AND settled_at IS NULL"
        return [row[0] for row in self._select(query, tenant)]

    def current_version(self, tenant: str) -> str:
        (found,) = self._select("SELECT current_version_id FROM deployment WHERE tenant_id = %s", tenant)
        return str(found[0])

    def end_lease(self, tenant: str) -> None:
        query = "SELECT fleet FROM deployment WHERE tenant_id = %s"
        for (fleet,) in self._select(query, tenant):
            self._connection.execute("UPDATE lease SET expires_at = clock_timestamp() WHERE fleet = %s", (fleet,))

    def last_change(self, execution_id: str) -> object:
        return self._select("SELECT last_sequence, version FROM execution WHERE id = %s", execution_id)

    def is_settled(self, execution_id: str) -> bool:
        (found,) = self._select("SELECT settled_at IS NOT NULL FROM execution WHERE id = %s", execution_id)
        return bool(found[0])

    def waiting_stage(self, execution_id: str) -> int | None:
        query = "SELECT stage FROM approval WHERE decision IS NULL AND execution_id = %s"
        return next((row[0] for row in self._select(query, execution_id)), None)

    def instance(self, execution_id: str, instance_id: str, back: bool) -> dict[str, Any]:
        table = "rollback_instance" if back else "instance"
        query = (
            f"SELECT to_jsonb(i), (e.plan ->> 'budget')::int, i.started_at FROM {table} i"
            " JOIN execution e ON e.id = i.execution_id WHERE i.execution_id = %s AND i.instance_id = %s"
        )
        (found,) = self._select(query, execution_id, instance_id)
        return {**found[0], "budget": found[1], "started_at": found[2]}

    async def close(self) -> None:
        await close_ports()
        self._connection.close()

    def _select(self, query: str, *given: str) -> list[Any]:
        return self._connection.execute(query, given).fetchall()
