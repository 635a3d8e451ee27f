"""Which processes belong to a component: its session, whose leader is identified by process id and start time."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Leader:
    """A component's first process. It leads a session of its own, which its descendants keep after its death."""

    pid: int
    boot: str
    began: float

    @classmethod
    def of(cls, pid: int) -> "Leader | None":
        """The process that has this id now; None when there is none."""
        began = _began(pid)
        return None if began is None else cls(pid, boot_id(), began)

    def is_alive(self) -> bool:
        """Whether this very process runs: not a zombie, and not another one with the same id."""
        return Leader.of(self.pid) == self and not is_gone(self.pid)

    def members(self) -> set[int]:
        """The ids of the session's living processes and of the leader's descendants, since PostgreSQL's leave the
        session.

        Empty when the leader's id belongs to another process now.
        """
        if self.boot != boot_id() or not self._owns_its_id():
            return set()
        return {pid for pid in psutil.pids() if self._is_member(pid)} | self._descendants()

    def _owns_its_id(self) -> bool:
        """No process id is reused while a session has it, so a missing leader still owns its session."""
        now = Leader.of(self.pid)
        return now is None or now == self

    def _is_member(self, pid: int) -> bool:
        try:
            return os.getsid(pid) == self.pid and not is_gone(pid) and (_began(pid) or 0) >= self.began
        except OSError:
            return False

    def _descendants(self) -> set[int]:
        if not self.is_alive():
            return set()
        try:
            return {child.pid for child in psutil.Process(self.pid).children(recursive=True) if not is_gone(child.pid)}
        except psutil.Error:
            return set()


@cache
def boot_id() -> str:
    """The id of the machine's boot; empty where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _began(pid: int) -> float | None:
    """When the process began: ticks since boot on Linux, where a wall clock may be set back; else seconds."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return _began_by_wall_clock(pid)
    return float(stat.rpartition(")")[2].split()[19])


def _began_by_wall_clock(pid: int) -> float | None:
    if boot_id():
        return None
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def is_gone(pid: int) -> bool:
    """Whether no such process runs; a zombie counts as ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True
