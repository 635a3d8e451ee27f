"""The checkout's own passwords and keys: random, made once, readable by their owner only."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from local.files import read_or_none, write_whole


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _password() -> str:
    return secrets.token_urlsafe(24)


_MAKERS: dict[str, Callable[[], str]] = {"fernet_key": _fernet_key}


@dataclass(frozen=True)
class Credentials:
    """Every secret of the stack, each in a file `.local/secrets/<name>`."""

    postgres_password: str
    airflow_db_password: str
    upgrades_db_password: str
    fernet_key: str
    jwt_secret: str
    api_secret_key: str
    admin_password: str
    agent_token: str

    @classmethod
    def load(cls, folder: Path) -> "Credentials":
        """Read the secrets, and make those that do not exist yet."""
        return cls(**{field.name: _read_or_make(folder / field.name) for field in fields(cls)})


def _read_or_make(path: Path) -> str:
    known = read_or_none(path)
    if known:
        return known
    made = _MAKERS.get(path.name, _password)()
    write_whole(path, made)
    return made
