"""The tiles of an execution's page: the words of one instance."""

from __future__ import annotations

from upgrade_orchestrator.domain.instance.instance import IN_FLIGHT, Instance, InstanceStatus
from upgrade_orchestrator.domain.instance.rollback import is_touched
from upgrade_orchestrator.web.view.icons import icon
from upgrade_orchestrator.web.view.words import INSTANCE, NOT_REACHED, StatusStyle

_BACK = StatusStyle("Rolling back", "back", icon("undo"))
_NOT_BACK = StatusStyle("Rollback failed", "bad", icon("cross"))


def style_of_tile(instance: Instance, ended: bool) -> StatusStyle:
    """How the instance is shown; ``ended``: the execution has, so what is pending is not reached any more."""
    style = INSTANCE[instance.status]
    if is_going_back(instance):
        style = _BACK
    elif instance.revert is InstanceStatus.FAILED and instance.status is not InstanceStatus.ROLLED_BACK:
        style = _NOT_BACK
    elif instance.status is InstanceStatus.PENDING and ended:
        style = NOT_REACHED
    return StatusStyle(f"{style.words}, gone", "warn", icon("gone")) if instance.gone else style


def is_going_back(instance: Instance) -> bool:
    """Whether a rollback is working on the instance."""
    return instance.revert in IN_FLIGHT and not instance.gone


def versions_of(instance: Instance) -> str:
    """The version that the instance runs, or from which to which it is on its way."""
    before, after = instance.from_version or "unknown", instance.to_version
    if instance.status in (InstanceStatus.PENDING, InstanceStatus.ROLLED_BACK):
        return before
    if is_going_back(instance):
        return f"{after} → {before}"
    return after if instance.status is InstanceStatus.COMPLETED else f"{before} → {after}"


def concerns_rollback(instance: Instance) -> bool:
    """Whether a rollback has reverted the instance, or has to."""
    return instance.status is InstanceStatus.ROLLED_BACK or is_touched(instance)
