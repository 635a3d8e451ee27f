"""Where backups may be: below the folders and stores of ``[upgrades] backup_roots`` (specification section 7)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from posixpath import normpath
from urllib.parse import unquote

FILE = "file://"
OBJECT_STORES = ("s3://", "gs://", "abfs://", "abfss://")
"Allowed unless the setting says otherwise: they are read with the credentials of Airflow's connections."
_ROOT = re.compile(r"[a-z][a-z0-9+.-]*://((?!://).)*")


def path_of(location: str) -> str:
    """The path of a ``file:`` location, in which ``%20`` means a space.

    :raises ValueError: it is not absolute, or has ``..`` in it.
    """
    path = unquote(location.removeprefix(FILE))
    if not path.startswith("/"):
        raise ValueError("must have three slashes after file:, because the path is one of this machine")
    if ".." in path.split("/"):
        raise ValueError("must not contain '..'")
    return normpath("/" + path.lstrip("/"))


@dataclass(frozen=True, slots=True)
class Roots:
    """Prefixes of locations: ``file:///backups`` for a folder, ``s3://`` or ``s3://bucket/folder`` for a store."""

    prefixes: tuple[str, ...] = ("file:///backups", *OBJECT_STORES)

    @classmethod
    def parse(cls, text: str) -> Roots:
        """The roots in ``text``, with commas between them.

        :raises ValueError: one is no such prefix, or there is none.
        """
        given = [each.strip() for each in text.split(",") if each.strip()]
        for each in given:
            if not _ROOT.fullmatch(each):
                raise ValueError(f"must be prefixes like file:///backups or s3://bucket with commas, not {each!r}")
            if each.startswith(FILE):
                path_of(each)
        if not given:
            raise ValueError("must name a folder or a store, such as file:///backups or s3://")
        return cls(tuple(given))

    @property
    def folders(self) -> Sequence[str]:
        """The paths of the folders among the roots."""
        return [path_of(each) for each in self.prefixes if each.startswith(FILE)]

    def problem(self, location: str) -> str | None:
        """Why nothing is read from ``location``; None when it may be read."""
        try:
            inside = self._has_file(path_of(location)) if location.startswith(FILE) else self._has_object(location)
        except ValueError as error:
            return str(error)
        if inside:
            return None
        return f"must begin with one of {', '.join(self.prefixes)} ([upgrades] backup_roots)"

    def _has_file(self, path: str) -> bool:
        return any(path.startswith(_as_folder(each)) for each in self.folders)

    def _has_object(self, location: str) -> bool:
        if "::" in location or ".." in unquote(location).split("/"):
            raise ValueError("must not contain '::' or '..'")
        return any(location.startswith(_as_folder(each)) for each in self.prefixes if not each.startswith(FILE))


def _as_folder(prefix: str) -> str:
    """With a slash at its end, so that ``s3://bucket`` does not allow ``s3://bucket-of-others``."""
    return prefix if prefix.endswith("/") else f"{prefix}/"
