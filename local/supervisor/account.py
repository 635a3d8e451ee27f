"""The account a process runs as: PostgreSQL refuses to run as root."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from local.errors import LocalError

_UNPRIVILEGED = "nobody"


class Options(TypedDict, total=False):
    """The arguments that `subprocess` needs to run as another account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """An account by its ids; without them: the current one."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def unprivileged(cls) -> "Account":
        """The current account; for root the account `nobody`.

        :raises LocalError: root, and the machine has no account `nobody`.
        """
        if os.geteuid() != 0:
            return cls()
        try:
            entry = pwd.getpwnam(_UNPRIVILEGED)
        except KeyError:
            raise LocalError(f"PostgreSQL refuses to run as root and there is no account {_UNPRIVILEGED!r}") from None
        return cls(entry.pw_uid, entry.pw_gid)

    def as_options(self) -> Options:
        """The arguments for `subprocess.run` and `Popen`."""
        if self.uid is None or self.gid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give the file or folder to the account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def can(self, argv: Sequence[str]) -> bool:
        """Whether the account can run this command with success."""
        try:
            done = subprocess.run(argv, cwd="/", capture_output=True, check=False, **self.as_options())
        except OSError:
            return False
        return done.returncode == 0

    def can_enter(self, folder: Path) -> bool:
        """Whether the account can enter the folder."""
        return self.can(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)])
