"""The registry with which tests start: one component, two versions, the path between them, a deployment and a
backup.
"""

import hashlib
from datetime import datetime
from typing import Any

TENANT, COMPONENT, OLD, NEW = "550e8400", "aaa-111", "bbb-222", "ccc-333"
OLD_VERSION, NEW_VERSION = "3.6.0", "3.7.0"
CONNECTION = "demo_fleet"
BACKUP = b"everything that was there\n" * 1000


def document(fleet: str, location: str, content: bytes, created_at: datetime) -> dict[str, Any]:
    """As a registry file: the deployment is ``fleet``, the backup at ``location`` has that content."""
    return {
        "components": [{"id": COMPONENT, "name": "kafka"}],
        "versions": [
            {"id": OLD, "componentId": COMPONENT, "version": OLD_VERSION},
            {"id": NEW, "componentId": COMPONENT, "version": NEW_VERSION, "dependencies": {}},
        ],
        "upgradePaths": [
            {"id": "path-1", "componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW, "tested": True}
        ],
        "deployments": [
            {
                "tenantId": TENANT,
                "componentId": COMPONENT,
                "driver": "agent",
                "connId": CONNECTION,
                "fleet": fleet,
                "currentVersionId": OLD,
            }
        ],
        "backups": [
            {
                "id": "backup-1",
                "tenantId": TENANT,
                "componentId": COMPONENT,
                "versionId": OLD,
                "location": location,
                "sizeBytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "createdAt": created_at.isoformat(),
            }
        ],
    }
