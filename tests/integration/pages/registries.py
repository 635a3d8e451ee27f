"""Registries for the pages: a small one with everything in it, and one with sixty versions."""

import hashlib
from dataclasses import replace
from typing import Any

from tests.integration.pages.served import ago
from tests.labs.memory.world import LOCATION
from tests.labs.seed import BACKUP
from upgrade_orchestrator.domain.execution.commands import SYSTEM
from upgrade_orchestrator.domain.execution.execution import UpgradeRequest
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.upgrade.create import create_upgrade

KAFKA, LONG = "kafka", "long"
FLEETS = ("acme-kafka", "globex-kafka", "umbrella-kafka", "acme-long")


def registry() -> dict[str, Any]:
    """The fleet of initech is not known to its agent; acme has backups."""
    return {
        "components": [
            {"id": KAFKA, "name": "Apache Kafka", "description": "the message broker"},
            {"id": LONG, "name": "Service with many releases"},
        ],
        "versions": [*_of_kafka(), *_many()],
        "upgradePaths": [*_paths(), *_many_paths()],
        "deployments": [
            _deployment("acme", KAFKA, "k36"),
            _deployment("globex", KAFKA, "k36"),
            _deployment("initech", KAFKA, "k35"),
            _deployment("umbrella", KAFKA, "k36"),
            _deployment("acme", LONG, "v-10"),
        ],
        "backups": [
            _backup("acme-nightly", "acme", hours=5),
            _backup("acme-old", "acme", days=40),
        ],
    }


async def upgraded(ports: Ports) -> None:
    """umbrella has an upgrade that was not started, and instances on two versions."""
    installed = {"postgresql": "16.1"}
    wanted = UpgradeRequest(
        component_id=KAFKA, from_version_id="k36", to_version_id="k37", installed_components=installed
    )
    await create_upgrade(ports, "umbrella", wanted, SYSTEM)
    async with ports.work() as work:
        deployment = await work.registry.deployment("umbrella", KAFKA)
        assert deployment is not None
        await work.registry.put(replace(deployment, mixed={"3.6.0": 3, "3.7.0": 1}))
        await work.commit()


def _of_kafka() -> list[dict[str, Any]]:
    return [
        _version("k35", "3.5.2", status="DEPRECATED", releaseDate="2025-07-24", endOfLifeDate="2099-06-30"),
        _version("k36", "3.6.0", releaseDate="2025-10-10", lts=True, notes="the last one with ZooKeeper in production"),
        _version("k37", "3.7.0", recommended=True, dependencies={"postgresql": ">=15,<18"}),
        _version(
            "k39",
            "3.9.1",
            releaseDate="2026-05-21",
            minPlatformVersion="3.0",
            notes="metadata.version afterwards",
        ),
        _version("k40", "4.0.0", status="DRAFT"),
    ]


def _paths() -> list[dict[str, Any]]:
    return [
        _path("p-35-36", "k35", "k36", tested=True, estimatedDurationMinutes=20),
        _path("p-36-37", "k36", "k37", tested=True, estimatedDurationMinutes=25, preUpgradeSteps=["check lag", "tell"]),
        _path("p-37-36", "k37", "k36", tested=True, rollbackSteps=["restore the metadata"]),
        _path("p-35-37", "k35", "k37"),
        _path("p-36-39", "k36", "k39", blockers=["message format 0.10 has to be raised on 3.7 first"]),
        _path("p-37-39", "k37", "k39", requiresDowntime=True, tested=True, estimatedDurationMinutes=90),
        _path("p-39-40", "k39", "k40", riskLevel="HIGH", notes="KRaft only"),
        _path("p-36-40", "k36", "k40", riskLevel="HIGH"),
    ]


def _many() -> list[dict[str, Any]]:
    return [_version(f"v-{n}", f"1.{n}.0", component=LONG) for n in range(60)]


def _many_paths() -> list[dict[str, Any]]:
    steps = [_path(f"q-{n}", f"v-{n}", f"v-{n + 1}", component=LONG, tested=n % 3 > 0) for n in range(59)]
    jumps = [_path(f"j-{n}", f"v-{n}", f"v-{min(n + 7, 59)}", component=LONG) for n in range(0, 56, 5)]
    return [*steps, *jumps]


def _version(identifier: str, version: str, component: str = KAFKA, **fields: Any) -> dict[str, Any]:
    return {"id": identifier, "componentId": component, "version": version, **fields}


def _path(identifier: str, begin: str, end: str, component: str = KAFKA, **fields: Any) -> dict[str, Any]:
    return {"id": identifier, "componentId": component, "fromVersionId": begin, "toVersionId": end, **fields}


def _deployment(tenant: str, component: str, version: str) -> dict[str, Any]:
    where = {"driver": "agent", "connId": "fleets", "fleet": f"{tenant}-{component}"}
    return {"tenantId": tenant, "componentId": component, "currentVersionId": version, **where}


def _backup(identifier: str, tenant: str, **age: float) -> dict[str, Any]:
    content = {"location": LOCATION, "sizeBytes": len(BACKUP), "sha256": hashlib.sha256(BACKUP).hexdigest()}
    return {
        "id": identifier,
        "tenantId": tenant,
        "componentId": KAFKA,
        "versionId": "k36",
        "createdAt": ago(**age),
        **content,
    }
