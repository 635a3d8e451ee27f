"""Upgrades that need attention, that follow one another, that are large, and that failed with much to say."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.browser.screenshots.details import Story, ago
from tests.browser.screenshots.histories import PIP
from tests.browser.screenshots.stories import BEGUN, CHECKED, STORIES, I, S, moved
from upgrade_orchestrator.domain.checks.checks import CheckStatus
from upgrade_orchestrator.domain.execution import attention as cause
from upgrade_orchestrator.domain.execution.attention import CAUSES, Attention
from upgrade_orchestrator.domain.execution.canary import Canary
from upgrade_orchestrator.service.ports.stores.executions import Follower

FIRST, SECOND, THIRD = (f"0195d3f0-7a1c-7d10-9b51-4f6e2a90c{n}" for n in ("1d7", "2e8", "3f9"))
_NO_HEARTBEAT = "no triggerer has sent a heartbeat for 64 s, and the canaries' monitor waits for one"


_UNSEEN = replace(STORIES["promotion"], fields={"canary": Canary(healthy=True, polls=24, last_poll_at=ago(4.2))})


def needing(story: Story, code: str, message: str, **more: Any) -> Story:
    """The story, while something keeps it from going on."""
    return replace(story, fields={**story.fields, "attention": Attention(code, ago(4), message, 31)}, **more)


MORE: Mapping[str, Story] = {
    "stuck-unparsed": needing(
        STORIES["pending"],
        cause.DAG_NOT_PARSED,
        "Airflow has not read it for 64 s\nBroken DAG: [shard_3.py]\n  ModuleNotFoundError: No module named 'kafka'",
        status=S.VALIDATING,
        lines=(moved(5, S.PENDING, S.VALIDATING, "started by olga", "olga"),),
        minutes=5,
        checks=CheckStatus.PENDING,
    ),
    "stuck-canaries": needing(_UNSEEN, cause.TRIGGERER_DOWN, _NO_HEARTBEAT),
    "stuck-paused-dag": needing(STORIES["running"], cause.DAG_PAUSED, "a person has paused the DAG in Airflow"),
    "stuck-rolling-back": needing(STORIES["rolling-back"], "STALE_TOKEN", "the fleet has seen token 907, ours is 12"),
    "reverted": replace(STORIES["completed"], id=FIRST),
    "revert": Story(
        S.IN_PROGRESS,
        [I.COMPLETED] * 5 + [I.UPGRADING] * 5 + [I.PENDING] * 10,
        "all checks passed",
        id=SECOND,
        fields={"revert_of": FIRST, "from_version": "3.7.0", "to_version": "3.6.0"},
        lines=BEGUN,
        minutes=6,
    ),
    "retry-reverted": replace(STORIES["failed"], id=THIRD, fields={**STORIES["failed"].fields, "retry_of": SECOND}),
    "failed-details": replace(
        STORIES["failed"],
        errors={7: PIP, 8: PIP.replace("not healthy", "kafka-09 is not healthy"), 9: PIP},
        states=[I.COMPLETED] * 7 + [I.FAILED] * 3 + [I.PENDING] * 10,
    ),
    "sixty": Story(
        S.IN_PROGRESS,
        [I.COMPLETED] * 24 + [I.FAILED] + [I.HEALTH_CHECKING] * 3 + [I.UPGRADING] * 2 + [I.PENDING] * 30,
        "all checks passed",
        request={"batch_size": 10, "failure_threshold": 5},
        errors={24: "not healthy within 300 s"},
        fields={"current_failures": 1},
        lines=BEGUN,
    ),
    "canary-running": Story(
        S.CANARY_RUNNING,
        [I.COMPLETED, I.HEALTH_CHECKING] + [I.PENDING] * 18,
        "all checks passed",
        request=STORIES["promotion"].request,
        fields={"canary": Canary()},
        lines=(BEGUN[0], moved(19.8, S.VALIDATING, S.CANARY_RUNNING, "all checks passed")),
        tasks=CHECKED | {"admit": "success", "canary.deploy": "running", "canary.monitor": None},
    ),
}
"""As STORIES, of the same upgrade at other times."""
FOLLOWERS: Mapping[str, tuple[Follower, ...]] = {
    "reverted": (Follower(SECOND, S.IN_PROGRESS, True),),
    "retry-reverted": (Follower(FIRST, S.PENDING, True), Follower(SECOND, S.CANCELLED, False)),
}
"""What was made of an ended upgrade."""
ATTENTIONS: Mapping[str, Story] = {code: needing(STORIES["running"], code, "what was met, in words") for code in CAUSES}
"""A running upgrade for each code."""
