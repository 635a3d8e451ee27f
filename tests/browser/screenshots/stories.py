"""The states of an upgrade of which pictures are made, one story each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tests.browser.screenshots.details import Story, ago
from upgrade_orchestrator.domain.approval.approval import Approval
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.canary import Canary
from upgrade_orchestrator.domain.execution.commands import SYSTEM
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import RollbackInfo, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus

I, S, T = InstanceStatus, ExecutionStatus, EventType  # noqa: E741 - as in the domain's tables


def moved(
    minutes: float, before: ExecutionStatus, after: ExecutionStatus, reason: str, actor: str = SYSTEM.name
) -> tuple[float, EventType, dict[str, Any]]:
    data = {"from": before, "to": after, "reason": reason, "actor": actor}
    return minutes, T.STATUS_CHANGED, data | ({} if actor == SYSTEM.name else {"source": "UI"})


BEGUN = (
    moved(20, S.PENDING, S.VALIDATING, "started by olga", "olga"),
    moved(19.8, S.VALIDATING, S.IN_PROGRESS, "all checks passed"),
)
RUNNING = [I.COMPLETED] * 5 + [I.COMPLETED] * 2 + [I.HEALTH_CHECKING, I.UPGRADING, I.DRAINING] + [I.PENDING] * 10
CHECKED: dict[str, str | None] = {f"validate.{each}": "success" for each in ("backup_verification", "health_endpoints")}
TASKS = CHECKED | {
    "admit": "success",
    **{"batch_001.wait": "success", "batch_001.upgrade": "success", "batch_002.wait": "success"},
    **{"batch_002.upgrade": "running", "batch_003.wait": None, "batch_003.upgrade": None, "verify": None},
    **{"outcome": None, "complete": None, "rollback.revert": None, "rollback.confirm": None, "end": None},
}
SKIPPED = {each: state or "skipped" for each, state in TASKS.items()} | {"batch_002.upgrade": "failed"}
BACK = RollbackInfo("3 instances failed: the threshold is 3", ago(6), "system")
ILL = "not healthy within 300 s: http://kafka-08:9644/health answers 503 (under-replicated partitions: 12)"
WATCHED = [I.COMPLETED] * 2 + [I.PENDING] * 18
CANARY = {"strategy": Strategy.CANARY}

STORIES: Mapping[str, Story] = MappingProxyType(
    {
        "pending": Story(S.PENDING, [I.PENDING] * 20, "created", minutes=0),
        "running": Story(S.IN_PROGRESS, RUNNING, "all checks passed", lines=BEGUN, tasks=TASKS),
        "one-by-one": Story(
            S.IN_PROGRESS,
            [I.COMPLETED] * 4 + [I.UPGRADING] + [I.PENDING] * 7,
            "all checks passed",
            request={"batch_size": 1},
            lines=BEGUN,
            tasks=TASKS,
        ),
        "stuck": Story(
            S.IN_PROGRESS,
            RUNNING,
            "all checks passed",
            lines=BEGUN,
            tasks=TASKS,
            fields={
                "attention": Attention("FLEET_UNREACHABLE", ago(4), "the agent does not answer (ConnectError)", 31)
            },
        ),
        "failed": Story(
            S.FAILED,
            [I.COMPLETED] * 7 + [I.FAILED] * 3 + [I.PENDING] * 10,
            "3 instances failed, the threshold is 3: kafka-08, kafka-09, kafka-10",
            fields={"completed_at": ago(4), "current_failures": 3, "failure_phase": "UPGRADE", "settled_at": ago(4)},
            errors={7: ILL, 8: ILL.replace("08", "09"), 9: ILL.replace("08", "10")},
            lines=(*BEGUN, moved(4, S.IN_PROGRESS, S.FAILED, "3 instances failed, the threshold is 3")),
            tasks=SKIPPED | {"end": "failed", "outcome": "success"},
        ),
        "rolling-back": Story(
            S.ROLLING_BACK,
            [I.COMPLETED] * 4 + [I.ROLLED_BACK] * 3 + [I.COMPLETED, I.FAILED, I.FAILED] + [I.PENDING] * 10,
            "3 instances failed, the threshold is 3",
            request={"auto_rollback_enabled": True},
            fields={"rollback": BACK, "current_failures": 3},
            reverts={
                **{0: I.PENDING, 1: I.PENDING, 2: I.UPGRADING, 3: I.HEALTH_CHECKING},
                **{7: I.DRAINING, 8: I.PENDING, 9: I.FAILED},
            },
            errors={8: ILL.replace("08", "09"), 9: ILL.replace("08", "10")},
            lines=(
                *BEGUN,
                moved(6, S.IN_PROGRESS, S.ROLLING_BACK, BACK.reason or ""),
                (6, T.ROLLBACK_STARTED, {"reason": BACK.reason, "initiatedBy": "system"}),
            ),
            tasks=SKIPPED | {"outcome": "success", "rollback.revert": "running", "rollback.confirm": None},
        ),
        "rolled-back": Story(
            S.ROLLED_BACK,
            [I.ROLLED_BACK] * 10 + [I.PENDING] * 10,
            "10 instances are back on 3.6.0: 3 instances failed, the threshold was 3",
            request={"auto_rollback_enabled": True},
            fields={"rollback": BACK, "current_failures": 3, "completed_at": ago(1), "settled_at": ago(1)},
            errors={8: ILL.replace("08", "09")},
            lines=(
                *BEGUN,
                moved(6, S.IN_PROGRESS, S.ROLLING_BACK, BACK.reason or ""),
                (6, T.ROLLBACK_STARTED, {"reason": BACK.reason, "initiatedBy": "system"}),
                (1, T.ROLLBACK_COMPLETED, {}),
                moved(1, S.ROLLING_BACK, S.ROLLED_BACK, "10 instances are back on 3.6.0"),
            ),
            tasks=SKIPPED
            | {
                "outcome": "success",
                "rollback.revert": "success",
                "rollback.confirm": "success",
                "rollback.rolled_back": "failed",
            },
        ),
        "paused": Story(
            S.PAUSED,
            [I.COMPLETED] * 10 + [I.PENDING] * 10,
            "paused by olga: the network is being worked on",
            fields={"paused_at": ago(7), "paused_from": S.IN_PROGRESS, "paused_seconds": 95.0},
            lines=(*BEGUN, moved(7, S.IN_PROGRESS, S.PAUSED, "the network is being worked on", "olga")),
            due=-2,
            tasks=TASKS | {"batch_002.upgrade": "success", "batch_003.wait": "deferred"},
        ),
        "approval": Story(
            S.IN_PROGRESS,
            [I.COMPLETED] * 5 + [I.PENDING] * 15,
            "stage 2 waits for an approval",
            request={"strategy": Strategy.STAGED, "stage_percentages": (25, 50, 100)},
            lines=(*BEGUN, (9, T.APPROVAL_REQUESTED, {"stage": 2})),
            awaits=Approval(execution_id="e-1", stage=2, plan_hash="0" * 64, requested_at=ago(9)),
            due=-8,
            tasks=CHECKED | {"admit": "success", "stage_01.upgrade": "success", "stage_02.approve": "awaiting_input"},
        ),
        "promotion": Story(
            S.CANARY_MONITORING,
            WATCHED,
            "the canaries are upgraded: they are monitored until they are promoted",
            request=CANARY,
            fields={"canary": Canary(healthy=True, polls=24, last_poll_at=ago(0.2))},
            lines=(
                BEGUN[0],
                moved(19.8, S.VALIDATING, S.CANARY_RUNNING, "all checks passed"),
                moved(15, S.CANARY_RUNNING, S.CANARY_MONITORING, "the canaries are upgraded"),
            ),
            polls=[True] * 9 + [None] + [True] * 14,
            due=-14,
            tasks=CHECKED | {"admit": "success", "canary.deploy": "success", "canary.monitor": "deferred"},
        ),
        "unhealthy-canary": Story(
            S.CANARY_MONITORING,
            WATCHED,
            "the canaries are upgraded: they are monitored until they are promoted",
            request=CANARY,
            fields={"canary": Canary(healthy=False, polls=6, last_poll_at=ago(0.2)), "current_failures": 2},
            lines=(BEGUN[0],),
            polls=[True] * 4 + [False] * 2,
            due=-14,
        ),
        "completed": Story(
            S.COMPLETED,
            [I.COMPLETED] * 20,
            "all 20 instances run 3.7.0",
            fields={"completed_at": ago(3), "paused_seconds": 240.0, "settled_at": ago(3)},
            lines=(
                *BEGUN,
                moved(3, S.IN_PROGRESS, S.COMPLETED, "all 20 instances run 3.7.0"),
                (3, T.SETTLED, {"versions": {"3.7.0": 20}, "fleetSeen": True, "settledBy": "system"}),
            ),
            tasks={each: "skipped" if each.startswith(("rollback", "end")) else "success" for each in TASKS},
        ),
        "cancelled": Story(
            S.CANCELLED,
            [I.COMPLETED] * 7 + [I.PENDING] * 13,
            "cancelled by olga: wrong night; 7 on 3.7.0, 13 on 3.6.0",
            fields={"completed_at": ago(4)},
            lines=(*BEGUN, moved(4, S.IN_PROGRESS, S.CANCELLED, "wrong night", "olga")),
            tasks=SKIPPED | {"end": "success", "outcome": "success"},
        ),
    }
)
