"""What is done with two pools, in words (BLUE_GREEN)."""

from __future__ import annotations

from datetime import datetime

from upgrade_orchestrator.domain.blue_green.actions import (
    GiveUp,
    GoalReached,
    MarkRolledBack,
    PollAgain,
    PoolAction,
    RecordUnhealthy,
    SaveBatch,
    WaitFor,
)
from upgrade_orchestrator.domain.instance.names import named
from upgrade_orchestrator.service.runner.journal.decisions import Sentence
from upgrade_orchestrator.service.runner.journal.sentences import pairs
from upgrade_orchestrator.service.runner.journal.task_log import REPEATED_SECONDS


def pool_sentence(step: PoolAction, transition: str, until: datetime) -> Sentence | None:
    """The sentence of an action; None for an order, which tells itself. ``until``: when a wait for an effect ends."""
    match step:
        case WaitFor(what):
            waits = pairs("decide wait", **{"for": "pools"}, until=until)
            return Sentence(f"{waits}: {what}", what, REPEATED_SECONDS)
        case PollAgain(seconds):
            soaks = pairs("decide wait", **{"for": "soak"})
            return Sentence(f"{soaks}: {seconds:.0f} s of it are left", "soak", REPEATED_SECONDS)
        case SaveBatch(batch):
            return _once(pairs("decide next", pools=transition, phase=batch.phase.value))
        case RecordUnhealthy(_, unhealthy, too_late):
            ill = named((f"{name}: {why}" for name, why in unhealthy.items()), "; ")
            return _once(f"{pairs('poll', pools=transition, healthy=False)}: {too_late or ill}")
        case GiveUp(phase, reason):
            return _once(f"{pairs('decide stop', pools=transition, phase=phase)}: {reason}")
        case MarkRolledBack(healthy):
            return _once(pairs("decide rolled-back", pools=transition, instances=len(healthy)))
        case GoalReached():
            return _once(pairs("decide done", pools=transition))
    return None


def _once(sentence: str) -> Sentence:
    return Sentence(sentence, sentence)
