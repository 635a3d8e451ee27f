"""The approval request that a person reads in Airflow's UI before deciding on a stage, in Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from upgrade_orchestrator.domain.approval.approval import Approval
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.plan import Plan

MAX_NAMED = 20
"Instances that are listed by id; a stage may have thousands."


@dataclass(frozen=True, slots=True)
class Question:
    """A subject, and a body with what is needed to decide (Markdown)."""

    subject: str
    body: str


def question_of(execution: Execution, plan: Plan, approval: Approval, rows: Sequence[Instance]) -> Question:
    """The approval request for a stage."""
    stage, component = approval.stage, execution.request.component_id
    way = f"{execution.from_version} to {execution.to_version}"
    subject = f"Stage {stage} of {len(plan.batches)}: {component} from {way}, tenant {execution.tenant_id}"
    paragraphs = [
        *([f"**The last answer did not count.** {_plain(approval.refused)}"] if approval.refused else []),
        f"Component {_plain(component)} of tenant {_plain(execution.tenant_id)} goes from {_plain(way)}.",
        f"**Stage {stage} of {len(plan.batches)}** upgrades {_named(plan.batches[stage - 1].instances)}.",
        f"So far: {_so_far(rows)}.",
        f"*Reject* {_rejected(execution)}. Execution {_plain(execution.id)} was created by "
        f"{_plain(execution.created_by)}; plan {_plain(execution.plan_hash[:12])}.",
    ]
    return Question(subject, "\n\n".join(paragraphs))


def _named(instances: Sequence[str]) -> str:
    named = ", ".join(_plain(each) for each in instances[:MAX_NAMED])
    more = len(instances) - MAX_NAMED
    return f"{len(instances)} instances: {named}{f' and {more} more' if more > 0 else ''}"


def _so_far(rows: Sequence[Instance]) -> str:
    counts = Counter(each.status for each in rows)
    counted = ", ".join(f"{counts[each]} {each.value}" for each in InstanceStatus if counts[each])
    failed = [each.instance_id for each in rows if each.status is InstanceStatus.FAILED]
    return f"{counted} (failed: {_named(failed)})" if failed else counted


def _rejected(execution: Execution) -> str:
    if execution.request.auto_rollback_enabled:
        return "takes every upgraded instance back to its previous version"
    return "cancels the upgrade; instances stay on the versions that they have"


def _plain(text: str) -> str:
    """As inline code, so that nothing in the text is read as Markdown."""
    return f"`{text.replace('`', chr(39))}`"
