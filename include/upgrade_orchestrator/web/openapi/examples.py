"""An example for every body that is sent and every answer, by the name of its model; the tests hold them to it."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_ID = "0198c6a2-7f4e-7c3b-9a51-3b7f0f6f1d2e"
_ROOT = "/api/v1/registry"
_CREATED, _STARTED = "2026-01-31T12:00:00.120000Z", "2026-01-31T12:00:05.310000Z"
_SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_IDS = {"componentId": "aaa-111", "fromVersionId": "bbb-222", "toVersionId": "ccc-333"}
_VERSIONS = {"fromVersion": "3.6.0", "toVersion": "3.7.0"}

_UPGRADE: Json = {
    **_IDS,
    "strategy": "CANARY",
    "canaryPercentage": 10,
    "batchSize": 5,
    "batchDelaySeconds": 60,
    "healthCheckIntervalSeconds": 30,
    "healthCheckTimeoutSeconds": 300,
    "maxUnavailablePercentage": 25,
    "totalInstances": 20,
    "autoRollbackEnabled": True,
    "failureThreshold": 3,
    "initiatedBy": "ci",
    "installedComponents": {"kafka": "3.6.0", "postgresql": "16.1"},
}
_DEPLOYMENT = {"driver": "agent", "connId": "demo_fleet", "fleet": "demo", "currentVersionId": "bbb-222"}
_BACKUP = {
    "id": "backup-1",
    "versionId": "bbb-222",
    "location": "file:///backups/kafka-3.6.0",
    "sizeBytes": 26000,
    "sha256": _SHA,
    "createdAt": "2026-01-31T03:00:00Z",
}
_VERSION: Json = {
    "id": "ccc-333",
    "version": "3.7.0",
    "status": "STABLE",
    "releaseDate": "2026-01-10",
    "endOfLifeDate": None,
    "minPlatformVersion": "3.3.0",
    "maxPlatformVersion": None,
    "recommended": True,
    "lts": False,
    "dependencies": {"postgresql": ">=15,<18"},
    "notes": None,
}
_PATH: Json = {
    "id": "path-1",
    **_IDS,
    "requiresDowntime": False,
    "riskLevel": "MEDIUM",
    "tested": True,
    "estimatedDurationMinutes": 20,
    "preUpgradeSteps": ["stop the nightly jobs"],
    "upgradeSteps": [],
    "postUpgradeSteps": [],
    "rollbackSteps": [],
    "validationSteps": [],
    "blockers": [],
    "notes": None,
}
_WAY = {"fromVersionId": "bbb-222", "toVersionId": "ccc-333", **_VERSIONS, "upgradeType": "MINOR", "downgrade": False}
_PATH_READ = _PATH | _WAY
_TOTALS = {"steps": 1, "riskLevel": "MEDIUM", "requiresDowntime": False, "tested": True, "estimatedDurationMinutes": 20}

BODIES: dict[str, Json] = {
    "UpgradeBody": _UPGRADE,
    "DecisionBody": {"reason": "the canaries look well"},
    "ComponentBody": {"id": "aaa-111", "name": "kafka", "description": "the message broker"},
    "VersionBody": _VERSION,
    "StatusBody": {"status": "DEPRECATED", "endOfLifeDate": "2026-12-31"},
    "CompatibilityBody": {"fromVersionId": "bbb-222", "installedComponents": {"postgresql": "16.1"}},
    "PathBody": _PATH,
    "DeploymentBody": _DEPLOYMENT,
    "BackupBody": _BACKUP,
}

_CHECK: Json = {
    "name": "VERSION_COMPATIBILITY",
    "status": "PASSED",
    "message": "the path from 3.6.0 to 3.7.0 is registered and open",
    "startedAt": _STARTED,
    "completedAt": _STARTED,
}
_EXECUTION: Json = _UPGRADE | {
    "soakSeconds": 0,
    "stagePercentages": None,
    "id": _ID,
    "tenantId": "550e8400",
    "status": "IN_PROGRESS",
    "statusReason": "promoted by olga",
    "createdBy": "olga",
    "createdAt": _CREATED,
    "startedAt": _STARTED,
    "completedAt": None,
    "dagId": f"upgrade__{_ID}",
    "dagRunUrl": f"/dags/upgrade__{_ID}/runs",
    "planHash": _SHA,
    "progress": {
        "percentage": 10,
        "total": 20,
        "pending": 15,
        "inFlight": 3,
        "completed": 2,
        "failed": 0,
        "rolledBack": 0,
        "currentBatch": 2,
        "totalBatches": 5,
        "estimatedCompletionAt": "2026-01-31T12:20:00Z",
    },
    "validationChecks": [_CHECK],
    "canary": {
        "instances": ["kafka-1", "kafka-2"],
        "healthy": True,
        "polls": 3,
        "lastPollAt": "2026-01-31T12:03:00Z",
        "promotedBy": "olga",
        "promotedAt": "2026-01-31T12:03:20Z",
    },
    "awaitingApproval": None,
    "failurePhase": None,
    "warnings": [],
    "rollbackInfo": {
        "autoRollbackEnabled": True,
        "failureThreshold": 3,
        "currentFailures": 0,
        "rollbackReason": None,
        "rollbackInitiatedAt": None,
        "rollbackInitiatedBy": None,
        "rolledBackInstances": [],
    },
    "links": {
        "self": f"{_ROOT}/upgrades/{_ID}",
        "events": f"{_ROOT}/upgrades/{_ID}/events",
        "airflow": f"/dags/upgrade__{_ID}",
    },
}
_PLAN: Json = {
    "hash": _SHA,
    "totalInstances": 3,
    "canary": ["kafka-1"],
    "batches": [
        {"number": 1, "kind": "CANARY", "instances": ["kafka-1"]},
        {"number": 2, "kind": "BATCH", "instances": ["kafka-2", "kafka-3"]},
    ],
    "budget": 1,
    "warnings": [],
    "blockers": [],
    "estimatedSeconds": 180,
}
_FIGURES: Json = {
    "totalExecutions": 12,
    "successfulExecutions": 9,
    "failedExecutions": 1,
    "cancelledExecutions": 1,
    "activeExecutions": 1,
    "successRate": 90.0,
    "averageDurationSeconds": 1260.5,
    "p50DurationSeconds": 1201.0,
    "p95DurationSeconds": 2110.2,
    "averagePausedSeconds": 12.0,
}
_PARKED = {"id": _ID, "executionId": _ID, "sequence": 7}
_DRIVER = {"driver": "agent", "connId": "demo_fleet", "status": "ok"}
_RELAY = {"state": "running", "detail": "", "lagRows": 0, "lagSeconds": 0.0, "parked": 0, "parkedEvents": []}

ANSWERS: dict[str, Json] = {
    "ExecutionAnswer": _EXECUTION,
    "PreviewAnswer": {
        "plan": _PLAN,
        "validation": {"valid": True, "blockers": [], "warnings": [], "checks": [_CHECK]},
    },
    "PlanAnswer": _PLAN,
    "InstanceAnswer": {
        "instanceId": "kafka-1",
        "batch": 1,
        "status": "COMPLETED",
        **_VERSIONS,
        "attempts": 1,
        "healthy": True,
        "lastHealthAt": "2026-01-31T12:01:00Z",
        "error": None,
        "startedAt": _STARTED,
        "completedAt": "2026-01-31T12:01:00Z",
    },
    "EventAnswer": {
        "specversion": "1.0",
        "id": _ID,
        "source": f"/registry/upgrades/{_ID}",
        "type": "registry.upgrade.status-changed.v1",
        "time": _STARTED,
        "subject": _ID,
        "sequence": 3,
        "datacontenttype": "application/json",
        "data": {"from": "PENDING", "to": "VALIDATING", "reason": "started", "actor": "olga", "source": "API"},
    },
    "ComponentAnswer": BODIES["ComponentBody"],
    "VersionAnswer": _VERSION | {"componentId": "aaa-111", "effectiveStatus": "STABLE"},
    "PathAnswer": _PATH_READ,
    "CalculatedAnswer": _WAY
    | {"componentId": "aaa-111", "found": True, "steps": [_PATH_READ], "totals": _TOTALS}
    | dict.fromkeys(("alternatives", "closedPaths", "missingEdges"), [])
    | {"reachableFromSource": ["ccc-333"], "leadingToTarget": ["bbb-222"], "blockers": []},
    "CompatibilityAnswer": {
        "versionId": "ccc-333",
        "componentId": "aaa-111",
        "version": "3.7.0",
        "platformVersion": "3.3.2",
        "compatible": True,
        "blockers": [],
        "warnings": [],
        "dependencies": [],
        "path": None,
    },
    "DeploymentAnswer": _DEPLOYMENT | {"tenantId": "550e8400", "componentId": "aaa-111", "mixed": None},
    "BackupAnswer": _BACKUP | {"tenantId": "550e8400", "componentId": "aaa-111"},
    "StatisticsAnswer": _FIGURES | {"componentId": "aaa-111", "byStrategy": {"CANARY": _FIGURES}},
    "ParkedAnswer": _PARKED
    | {"tenantId": "550e8400", "type": "progress", "parkedAt": _STARTED, "reason": "message too large"},
    "HealthAnswer": {
        "status": "ok",
        "parts": {"database": "ok", "relay": "running", "fleets": "ok"},
        "relay": _RELAY,
        "fleets": [_DRIVER],
    },
    "DriverAnswer": _DRIVER,
}


def example_of(schema_name: str) -> Json | None:
    """The example of a model by its name in the document; a page of it is one with that item."""
    if schema_name.startswith("Page_"):
        item = ANSWERS.get(schema_name.removeprefix("Page_").removesuffix("_"))
        return None if item is None else {"items": [item], "nextCursor": None}
    return ANSWERS.get(schema_name)
