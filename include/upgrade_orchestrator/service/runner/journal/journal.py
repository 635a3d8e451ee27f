"""What a runner does with instances: written to the task's log, and kept for the next event of each (``Note``)."""

from __future__ import annotations

import logging
from asyncio import get_running_loop
from dataclasses import replace
from math import floor

from upgrade_orchestrator.domain.instance.fleet import Health
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.instance.names import cut
from upgrade_orchestrator.domain.instance.note import MOST_CHARACTERS, MOST_NOTES, Note, NoteKind
from upgrade_orchestrator.service.runner.journal import sentences
from upgrade_orchestrator.service.runner.journal.task_log import TaskLog


class Journal(TaskLog):
    """The journal of one runner. Notes are lost with the process; the log has the sentences in any case."""

    def __init__(self) -> None:
        super().__init__()
        self._notes: dict[str, list[Note]] = {}

    def ordered(self, instance_id: str, what: str, answer: str, token: int, seconds: float) -> None:
        """An order was answered, ``seconds`` after it was sent; ``LoggedDriver`` has logged it."""
        self._keep(instance_id, Note(NoteKind.ORDER, what, answer, token, round(seconds * 1000), 1, seconds))

    def polled(self, before: Instance, after: Instance, answer: Health | None) -> None:
        """A health endpoint was polled: kept if it says something new, and logged unless the status changes with it."""
        name = before.instance_id
        if answer is None:
            self._keep(name, Note(NoteKind.HEALTH, "silent", "does not answer", None, None, 1, 0.0))
            return
        said = None if after.healthy else answer.described()
        if (before.healthy, before.error) == (after.healthy, said):
            return
        what = "healthy" if after.healthy else "unhealthy"
        self._keep(name, Note(NoteKind.HEALTH, what, said or f"reports {answer.version}", None, None, 1, 0.0))
        if before.status is after.status:
            level = logging.INFO if after.healthy else logging.WARNING
            same = (after.status, after.attempts, after.healthy, sentences.without_figures(said or ""))
            self.once(("poll", name), same, sentences.health(after, answer), level)

    def changed(self, before: Instance, after: Instance) -> None:
        """A change of an instance was written."""
        is_bad = after.status is InstanceStatus.FAILED or after.gone
        self.say(sentences.change(before, after), logging.WARNING if is_bad else logging.INFO)
        self._notes.pop(after.instance_id, None)

    def notes_of(self, instance_id: str) -> tuple[Note, ...]:
        """The notes since its last event, for the one that is written now."""
        now = get_running_loop().time()
        return tuple(
            replace(each, ago=floor((now - each.ago) * 1000) / 1000) for each in self._notes.get(instance_id, ())
        )

    def noted(self) -> list[str]:
        """The instances of which something is kept."""
        return list(self._notes)

    def forget(self) -> None:
        """All notes are in events."""
        self._notes.clear()

    def _keep(self, instance_id: str, note: Note) -> None:
        """Keep the note; until it is taken, ``ago`` is the monotonic time at which it began."""
        note = replace(note, answer=cut(note.answer, MOST_CHARACTERS), ago=get_running_loop().time() - note.ago)
        notes = self._notes.setdefault(instance_id, [])
        if notes and _is_same(notes[-1], note):
            notes[-1] = replace(notes[-1], times=notes[-1].times + 1)
            return
        if len(notes) == MOST_NOTES:
            del notes[MOST_NOTES // 2]
        notes.append(note)


def _is_same(one: Note, other: Note) -> bool:
    return (one.kind, one.what, one.answer, one.token) == (other.kind, other.what, other.answer, other.token)
