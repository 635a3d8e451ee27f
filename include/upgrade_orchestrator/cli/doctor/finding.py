"""One thing that was looked at: how it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """An error keeps upgrades from running; a warning is to be known about."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """``todo`` is empty where there is nothing to do. No part of it holds a secret."""

    level: Level
    subject: str
    message: str
    todo: str = ""

    def __str__(self) -> str:
        """The line, with control characters replaced: parts of it come from outside."""
        text = f"{self.level:<8} {self.subject}: {self.message}" + (f": {self.todo}" if self.todo else "")
        return "".join(each if each.isprintable() else " " for each in text)


def well(subject: str, message: str) -> Finding:
    """Nothing is to be done."""
    return Finding(Level.OK, subject, message)


def warning(subject: str, message: str, todo: str = "") -> Finding:
    """Upgrades run nevertheless."""
    return Finding(Level.WARNING, subject, message, todo)


def error(subject: str, message: str, todo: str = "") -> Finding:
    """Upgrades do not run, or not to their end."""
    return Finding(Level.ERROR, subject, message, todo)
