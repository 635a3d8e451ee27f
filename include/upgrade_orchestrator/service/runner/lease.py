"""Holds a deployment's lease while there is something to do, not while there is only something to wait for."""

from __future__ import annotations

from datetime import datetime, timedelta

from upgrade_orchestrator.domain.errors import LostLease
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.service.ports.leases import Lease
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.backoff import now_seconds
from upgrade_orchestrator.service.runner.downtime import excuse_in

LONGEST_ROUND_SECONDS = 60.0
"A runner that is silent for longer stood still, and did not look at anything."
JUMP_SECONDS = 5.0
"So much further than ours, or behind it, the database's clock has jumped."


class LeaseKeeper:
    """The lease of one execution's deployment as one runner holds it, which is the owner."""

    def __init__(self, ports: Ports, execution: Execution) -> None:
        self._ports, self._execution_id = ports, execution.id
        self._key = (execution.tenant_id, execution.request.component_id, ports.new_id())
        self._lease: Lease | None = None
        self._renew_at = 0.0
        self._seen_at: float | None = None
        self._lived = 0.0
        self._clocks: tuple[datetime, float] | None = None

    @property
    def held(self) -> bool:
        """True while this runner may write and give orders."""
        return self._lease is not None

    @property
    def lease(self) -> Lease:
        """The lease held; its token goes with every order.

        :raises LostLease: when it is not held.
        """
        if self._lease is None:
            raise LostLease("the lease of this deployment is not held")
        return self._lease

    async def take(self) -> bool:
        """True when it is held now; False while somebody else works on the deployment.

        Time in which nobody worked on it is no time that an instance has let pass: clocks are pushed out by it.
        """
        self._live()
        async with self._ports.work() as work:
            execution = await work.executions.lock(self._execution_id)  # before the lease, as all who write do
            self._lease = lease = await work.leases.take(*self._key)
            if lease is not None:
                await excuse_in(work, execution, lease.unattended - timedelta(seconds=self._lived))
            await work.commit()
        if self.held:
            self._note_renewal()
        return self.held

    async def renew_if_due(self) -> None:
        """Keep it, well before it ends; to be called in every round.

        :raises LostLease: when somebody else has taken over, or when it has ended.
        """
        self._live()
        if self._lease is None or now_seconds() < self._renew_at:
            return
        async with self._ports.work() as work:
            kept = await work.leases.renew(self._lease)
            await work.commit()
        if not kept:
            self._lease = None
            raise LostLease("the lease of this deployment has ended")
        self._note_renewal()

    def notice(self, now: datetime) -> None:
        """Compare the database's clock with ours, before anything is judged by it.

        :raises LostLease: it has jumped: to take the lease again moves what is measured by it.
        """
        before, self._clocks = self._clocks, (now, now_seconds())
        if before is None or self._lease is None:
            return
        if abs((now - before[0]).total_seconds() - (now_seconds() - before[1])) > JUMP_SECONDS:
            raise LostLease("the database's clock has jumped")

    def forget(self) -> None:
        """It is lost: whatever is done next needs a new one."""
        self._lease = None

    async def give_back(self) -> None:
        """Let the next one work at once."""
        if self._lease is None:
            return
        lease, self._lease = self._lease, None
        self._seen_at, self._lived = now_seconds(), 0.0
        async with self._ports.work() as work:
            await work.leases.give_back(lease)
            await work.commit()

    def _live(self) -> None:
        """A runner that holds no lease in a wait of its own, or whose round was slow, has not been away."""
        now = now_seconds()
        if self._seen_at is not None:
            self._lived += min(now - self._seen_at, LONGEST_ROUND_SECONDS)
            self._seen_at = now

    def _note_renewal(self) -> None:
        self._seen_at, self._lived = now_seconds(), 0.0
        self._renew_at = now_seconds() + self._ports.limits.lease_seconds / 3
