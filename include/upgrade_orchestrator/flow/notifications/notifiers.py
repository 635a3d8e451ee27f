"""Loads the configured notifiers: ``[upgrades] notifiers = module:NAME`` names a mapping in a module of yours."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk.bases.notifier import BaseNotifier

from upgrade_orchestrator.domain.events.notifications import NoticeKind
from upgrade_orchestrator.settings import option_of

Notifiers = dict[NoticeKind, list[BaseNotifier]]
OPTION = option_of("notifiers")


def load_notifiers(reference: str) -> Notifiers:
    """The notifiers of each kind of notice; an empty list for kinds that the mapping leaves out.

    :raises ValueError: with the option's name and what it accepts.
    """
    found = _found(reference)
    if not isinstance(found, Mapping):
        raise ValueError(f"{OPTION}: {reference} must be a mapping, not {type(found).__name__}")
    known = [each.value for each in NoticeKind]
    unknown = sorted(str(each) for each in found if each not in known)
    if unknown:
        raise ValueError(f"{OPTION}: {reference} knows {', '.join(known)}; not {', '.join(unknown)}")
    return {kind: _checked(reference, kind, found.get(kind.value, ())) for kind in NoticeKind}


def _found(reference: str) -> Any:
    module, _, name = reference.partition(":")
    if not module or not name:
        raise ValueError(f"{OPTION} must be module:NAME, like include.my_notifiers:NOTIFIERS, not {reference!r}")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{OPTION}: {reference} cannot be loaded: {error}") from error


def _checked(reference: str, kind: NoticeKind, notifiers: Any) -> list[BaseNotifier]:
    if not isinstance(notifiers, Sequence) or not all(isinstance(each, BaseNotifier) for each in notifiers):
        raise ValueError(f"{OPTION}: {reference}: {kind.value} must be a list of Airflow notifiers (BaseNotifier)")
    return list(notifiers)
