"""Makes the events and their data from instances, batches and checks (specification section 10; docs/events.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from enum import StrEnum
from functools import cache
from itertools import islice

from upgrade_orchestrator.domain.checks.checks import CheckResult
from upgrade_orchestrator.domain.events import listing_payloads, payloads
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.instance.names import cut
from upgrade_orchestrator.domain.instance.note import Note
from upgrade_orchestrator.domain.plan.batch import Batch


def data_of(event: Event) -> dict[str, object]:
    """The ``data`` of the CloudEvent: the event's fields, in camelCase, and cut so that Kafka accepts the event."""
    return {json_name(each.name): _bounded(getattr(event, each.name)) for each in fields(event)}


MOST_LISTED = 100
"How many instances an event lists; a field beside the list counts them all."
MOST_CHARACTERS, MOST_CHARACTERS_LISTED = 4000, 200
"""How long a text of an event is, and one in a list of problems.

The largest event is then below 900,000 bytes with ids of 255 characters that JSON escapes with 12 bytes each; a broker
accepts 1,048,588 by default.
"""


def _bounded(value: object) -> object:
    match value:
        case StrEnum():
            return value
        case str():
            return value if len(value) <= MOST_CHARACTERS else cut(value, MOST_CHARACTERS)
        case Attention(code, since, message, tries):
            time = since.isoformat().replace("+00:00", "Z")
            return {"code": code, "since": time, "message": cut(message, MOST_CHARACTERS), "tries": tries}
        case Mapping():
            return {name: _problem(each) for name, each in islice(value.items(), MOST_LISTED)}
        case tuple() | list():
            return [each.as_data() if isinstance(each, Note) else each for each in value[:MOST_LISTED]]
    return value


def _problem(value: object) -> object:
    return cut(value, MOST_CHARACTERS_LISTED) if isinstance(value, str) else value


@cache
def json_name(name: str) -> str:
    """The camelCase name of a field: instanceId for ``instance_id``, from for ``from_`` (a keyword in Python)."""
    first, *others = name.rstrip("_").split("_")
    return first + "".join(each.capitalize() for each in others)


def instance_changed(before: Instance, after: Instance, notes: Sequence[Note] = ()) -> Event:
    """The event of an instance that changed its status; ``notes`` say what happened to it since its last event."""
    return payloads.InstanceChanged(
        instance_id=after.instance_id,
        batch=after.batch,
        from_=before.status,
        to=after.status,
        from_version=after.from_version,
        to_version=after.to_version,
        attempts=after.attempts,
        revert=after.revert,
        gone=after.gone,
        error=after.error,
        notes=notes,
    )


def batch_event(payload: type[listing_payloads.BatchPayload], batch: Batch, instances: Sequence[Instance]) -> Event:
    """The event of a batch that has begun (``BatchStarted``) or ended (``BatchCompleted``)."""
    own = [each for each in instances if each.batch == batch.number]
    counts = Counter(each.status for each in own)
    return payload(
        batch=batch.number,
        kind=batch.kind,
        instances=[each.instance_id for each in own],
        completed=counts[InstanceStatus.COMPLETED],
        failed=counts[InstanceStatus.FAILED],
    )


def progress(instances: Sequence[Instance], attention: Attention | None = None) -> Event:
    """The event with the counts of all instances by status; ``attention`` is what keeps the execution from going on."""
    counts = Counter(each.status for each in instances)
    completed = counts[InstanceStatus.COMPLETED]
    there = [each.status for each in instances if not each.gone]
    return payloads.Progress(
        percentage=there.count(InstanceStatus.COMPLETED) * 100 // max(1, len(there)),
        total=len(instances),
        pending=counts[InstanceStatus.PENDING],
        in_flight=sum(each.in_flight for each in instances),
        completed=completed,
        failed=counts[InstanceStatus.FAILED],
        rolled_back=counts[InstanceStatus.ROLLED_BACK],
        attention=attention,
    )


def check_completed(result: CheckResult) -> Event:
    """The event of a pre-upgrade check that has its result."""
    return payloads.CheckCompleted(name=result.name, status=result.status, message=result.message)
