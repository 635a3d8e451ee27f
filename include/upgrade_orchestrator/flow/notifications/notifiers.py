"""The notifiers that a deployment has set: ``[upgrades] notifiers = module:NAME``, a mapping in a module of its own."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk.bases.notifier import BaseNotifier

from upgrade_orchestrator.domain.events.notifications import NoticeKind
from upgrade_orchestrator.settings import option_of

Notifiers = dict[NoticeKind, list[BaseNotifier]]
OPTION = option_of("notifiers")


def load_notifiers(place: str) -> Notifiers:
    """The notifiers of each kind of notice, none for one that is not mentioned.

    :raises ValueError: naming the option and what would be accepted.
    """
    found = _found(place)
    if not isinstance(found, Mapping):
        raise ValueError(f"{OPTION}: {place} must be a mapping, not {type(found).__name__}")
    known = [each.value for each in NoticeKind]
    unknown = sorted(str(each) for each in found if each not in known)
    if unknown:
        raise ValueError(f"{OPTION}: {place} knows {', '.join(known)}; not {', '.join(unknown)}")
    return {kind: _checked(place, kind, found.get(kind.value, ())) for kind in NoticeKind}


def _found(place: str) -> Any:
    module, _, name = place.partition(":")
    if not module or not name:
        raise ValueError(f"{OPTION} must be module:NAME, like include.my_notifiers:NOTIFIERS, not {place!r}")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{OPTION}: {place} cannot be loaded: {error}") from error


def _checked(place: str, kind: NoticeKind, notifiers: Any) -> list[BaseNotifier]:
    if not isinstance(notifiers, Sequence) or not all(isinstance(each, BaseNotifier) for each in notifiers):
        raise ValueError(f"{OPTION}: {place}: {kind.value} must be a list of Airflow notifiers (BaseNotifier)")
    return list(notifiers)
