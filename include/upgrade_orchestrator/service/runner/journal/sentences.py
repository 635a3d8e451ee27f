"""The sentences of a task's log: pure functions, so that what a person searches for is written in one way only.

A sentence begins with one of these words: ``order``, ``change``, ``decide``, ``wait``, ``poll``, ``look``, ``lease``,
``check``, ``step``. Then come ``name=value`` pairs; after a colon the reason in words, which may have several lines.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime

from upgrade_orchestrator.domain.checks.checks import CheckResult, CheckStatus
from upgrade_orchestrator.domain.instance.fleet import Health, named_version
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, Instance, InstanceStatus
from upgrade_orchestrator.domain.instance.names import cut, in_one_line
from upgrade_orchestrator.service.ports.fleet import FleetError

ACCEPTED, NO_ANSWER = "accepted", "no answer"
_SHORT = 120
_FIGURES = re.compile(r"\w*\d\w*")
_PLAIN = re.compile(r'[^\s"=]+')
I = InstanceStatus  # noqa: E741 - as in domain/instance/instance.py


def pairs(words: str, **values: object) -> str:
    """The words with these pairs; those that are None are left out. A value with spaces or quotes is in quotes."""
    return " ".join([words, *(f"{name}={_value(each)}" for name, each in values.items() if each is not None)])


def without_figures(text: str) -> str:
    """What texts have in common that tell the same with another time, process id or size each time."""
    return _FIGURES.sub("0", text)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def change(before: Instance, after: Instance) -> str:
    """An instance went to another status, or is gone."""
    back = after.batch == ROLLBACK_BATCH
    what = pairs(
        "change",
        instance=after.instance_id,
        batch="rollback" if back else after.batch,
        **{"from": before.status.value, "to": after.status.value, "try": after.attempts or None},
        after=f"{before.step_seconds:.1f}s" if before.in_flight else None,
        gone=True if after.gone else None,
    )
    return f"{what}: {_why(before, after)}"


def _why(before: Instance, after: Instance) -> str:
    if after.status is I.FAILED or after.gone or before.status is I.COMPLETED:
        return after.error or "no reason is known"
    match before.status, after.status:
        case I.FAILED, I.DRAINING:
            return f"one more try, after: {cut(in_one_line(before.error or ''), _SHORT)}"
        case _, I.DRAINING:
            return f"begins, from {named_version(after.from_version)} to {after.to_version}"
        case _, I.UPGRADING:
            return "is drained, or needs no drain"
        case _, I.HEALTH_CHECKING:
            return f"runs {after.to_version}"
        case _, I.PENDING:
            return "its drain is withdrawn"
    return f"healthy at {after.to_version}"


def health(after: Instance, answer: Health) -> str:
    """The answer of a health endpoint that says something new."""
    said = pairs("poll", instance=after.instance_id, healthy=answer.healthy, version=answer.reported or answer.version)
    return f"{said}: {after.error}" if after.error else said


def check(result: CheckResult) -> tuple[str, int]:
    """The result of a pre-upgrade check, and the level at which it is logged."""
    level = logging.WARNING if result.status in (CheckStatus.FAILED, CheckStatus.WARNING) else logging.INFO
    return f"check {result.name.value} -> {result.status.value}: {result.message}", level


def refusal(error: FleetError) -> tuple[str, str]:
    """The answer to an order that was not accepted: its code, and why."""
    return error.code, f": {error}{' (it may still arrive)' if error.in_doubt else ''}"
