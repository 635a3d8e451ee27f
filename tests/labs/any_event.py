"""An event of any type with any data, for tests that only store, publish or read events."""

from collections.abc import Mapping
from dataclasses import make_dataclass
from typing import cast

from upgrade_orchestrator.domain.execution.events import Event, EventType


def any_event(what: EventType = EventType.PROGRESS, data: Mapping[str, object] | None = None) -> Event:
    """Without ``data`` the event has none."""
    given = dict(data or {})
    made = make_dataclass("AnyEvent", given, bases=(Event,), namespace={"what": what}, frozen=True, kw_only=True)
    return cast(Event, made(**given))
