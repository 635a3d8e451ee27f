"""Files that are complete or missing, even if the process is killed while it writes."""

import os
import secrets
from pathlib import Path


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace the file in one step: a reader sees the old text or the new one."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read_or_none(path: Path) -> str | None:
    """The file's text, or None where there is no such file."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return None
