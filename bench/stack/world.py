"""The bench's own stack with fleets, tenants and a backup for the reference job."""

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import httpx

from bench.jobs.job import BATCH_SIZE, INSTANCES, NEW_VERSION, OLD_VERSION, UPGRADE_SECONDS
from bench.stack.clients import Json, airflow_client, answered, fleet_admin, registry_client
from local.ports import free_port
from local.stack.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
COMPONENT, OLD, NEW = "bench", "bench-old", "bench-new"
_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"


class BenchStack(Stack):
    """The local stack with a second DAG bundle beside the product's, for the bare DAG that it is compared with."""

    seeded = False
    suffix: ClassVar[str] = ""
    "The end of its state folder's name: stacks of different kinds may run side by side."
    bundles: ClassVar[list[tuple[str, Json]]] = [("dags-folder", {}), ("bench", {"path": str(ROOT / "bench" / "dags")})]

    def env(self) -> dict[str, str]:
        """The stack's environment with the bundle."""
        listed = [{"name": name, "classpath": _BUNDLE, "kwargs": kwargs} for name, kwargs in self.bundles]
        return super().env() | {"AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(listed)}


class World:
    """The stack that is measured, and clients of it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.registry: httpx.Client = registry_client(stack)
        self.airflow: httpx.Client = airflow_client(stack)
        self.fleets = fleet_admin(stack)

    def furnish(self) -> None:
        """Register the component with its two versions and the path between them; harmless when it is already there."""
        self._add("/components", {"id": COMPONENT, "name": "bench"})
        for name, version in ((OLD, OLD_VERSION), (NEW, NEW_VERSION)):
            self._add(f"/components/{COMPONENT}/versions", {"id": name, "version": version})
        way = {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW, "tested": True}
        self._add("/upgrade-paths", {"id": "bench-path", **way})

    def reset(self, tenants: list[str], size: int = INSTANCES) -> None:
        """Give each tenant a fleet (named like the tenant) and a deployment at the old version, with a backup of it."""
        backup = self._backup()
        for tenant in tenants:
            self.fleets.create(tenant, size, OLD_VERSION, upgrade_seconds=UPGRADE_SECONDS)
            self.fleets.reset(tenant, OLD_VERSION, forget_fencing=True)
            where = f"/tenants/{tenant}/components/{COMPONENT}"
            answered(self.registry.put(f"{where}/deployment", json=_deployment(tenant)))
            self._add(f"{where}/backups", {"id": f"backup-{tenant}", **backup})

    def _add(self, path: str, body: Json) -> None:
        response = self.registry.post(path, json=body)
        if response.status_code != httpx.codes.CONFLICT:
            answered(response)

    def _backup(self) -> Json:
        path = self.stack.layout.state / "bench.backup"
        content = b"what a rollback would need\n" * 1000
        path.write_bytes(content)
        return {
            "versionId": OLD,
            "location": path.as_uri(),
            "sizeBytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "createdAt": datetime.now(UTC).isoformat(),
        }


def upgrade_request(delay: int) -> Json:
    """The body of the reference job; `delay` is seconds between batches."""
    return {
        "componentId": COMPONENT,
        "fromVersionId": OLD,
        "toVersionId": NEW,
        "strategy": "ROLLING",
        "batchSize": BATCH_SIZE,
        "batchDelaySeconds": delay,
        "maxUnavailablePercentage": 25,
        "totalInstances": INSTANCES,
        "initiatedBy": "bench",
    }


def bench_stack(kind: type[BenchStack] = BenchStack) -> Stack:
    """The bench's stack: state in `.local/bench` (BENCH_STATE moves it), on its port when it runs or else on a free
    one.
    """
    state = Path(os.environ.get("BENCH_STATE") or ROOT / ".local" / "bench")
    state = state.with_name(state.name + kind.suffix)
    attached = kind.attach(ROOT, state)
    return attached if attached.running() else kind(ROOT, free_port(), state)


def tenant_names(count: int) -> list[str]:
    """Names of the bench's tenants; each has a fleet of the same name."""
    return [f"bench-{number:02d}" for number in range(1, count + 1)]


def _deployment(fleet: str) -> Json:
    return {"driver": "agent", "connId": "demo_fleet", "fleet": fleet, "currentVersionId": OLD}
