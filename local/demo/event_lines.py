"""The events of an upgrade as text, one line each."""

from collections.abc import Callable
from typing import Any

from local.demo.rest import Json

Data = dict[str, Any]


def line_of(event: Json) -> str:
    """The event as one line; an event without a text of its own is shown with its data."""
    what = event["type"].removeprefix("registry.upgrade.").removesuffix(".v1")
    text = _TEXTS.get(what)
    return f"{what}: {event['data']}" if text is None else text(event["data"])


def _created(data: Data) -> str:
    return (
        f"created: {data['strategy']} from {data['fromVersion']} to {data['toVersion']}, "
        f"{data['totalInstances']} instances in {data['batches']} batches"
    )


def _status(data: Data) -> str:
    return f"{data['from']} → {data['to']}: {data['reason']} (by {data['actor']})"


def _check(data: Data) -> str:
    return f"check {data['status']:7} {data['name']}: {data['message']}"


def _batch_started(data: Data) -> str:
    return f"batch {data['batch']} started: {', '.join(data['instances'])}"


def _batch_completed(data: Data) -> str:
    return f"batch {data['batch']} completed: {data['completed']} upgraded, {data['failed']} failed"


def _instance(data: Data) -> str:
    error = f": {data['error']}".replace("\n", "\n      | ") if data["error"] else ""
    gone = " (gone)" if data["gone"] else ""
    return f"  {data['instanceId']} {data['from']} → {data['to']}{gone}{error}"


def _progress(data: Data) -> str:
    attention = data["attention"]
    stuck = f"; needs attention: {attention['code']}: {attention['message']}" if attention else ""
    return f"progress {data['percentage']} %: {data['completed']} of {data['total']}, {data['inFlight']} in work{stuck}"


def _polled(data: Data) -> str:
    ill = "; ".join(f"{name}: {why}" for name, why in data["unhealthy"].items())
    silent = f"not asked: {', '.join(data['notAsked'])}" if data["notAsked"] else ""
    return f"canaries polled ({data['polls']}): {'; '.join(each for each in (ill, silent) if each) or 'healthy'}"


def _command(data: Data) -> str:
    return f"{data['command']} requested by {data['actor']}"


def _settled(data: Data) -> str:
    count = ", ".join(f"{many} {_on(version)}" for version, many in data["versions"].items())
    return (
        f"settled {data['status']}: {count}{'' if data['fleetSeen'] else ' by the record, the fleet was not counted'}"
    )


def _on(version: str) -> str:
    return version if version == "unknown" else f"on {version}"


_TEXTS: dict[str, Callable[[Data], str]] = {
    "created": _created,
    "status-changed": _status,
    "check-completed": _check,
    "batch-started": _batch_started,
    "batch-completed": _batch_completed,
    "instance-changed": _instance,
    "progress": _progress,
    "canary-polled": _polled,
    "command-received": _command,
    "settled": _settled,
}
