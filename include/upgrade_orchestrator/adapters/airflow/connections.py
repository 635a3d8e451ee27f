"""Addresses and secrets from Airflow connections; a request never supplies them.

The connections are the providers' (``postgres``, ``http``) and ours (``upgrade_fleet_agent``), read as the providers'
hooks read them. The hooks themselves stay out of the tasks: importing PostgresHook loads psycopg2 and 65 more modules
(0.16 s and 8 MB for each task), its SQLAlchemy URL leaves ``sslmode`` and the like out, and HttpAsyncHook has no limit
for a call's whole time. Tests compare our reading with that of the hooks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import URL

from upgrade_orchestrator.service.ports.fleet import WrongConnection

AGENT_TYPE = "upgrade_fleet_agent"
"Our connection type. Connections of type ``http`` work in the same way."
NOT_FOR_THE_DRIVER = frozenset(
    {
        "iam",
        "redshift",
        "redshift-serverless",
        "cursor",
        "cluster-identifier",
        "workgroup-name",
        "aws_conn_id",
        "sqlalchemy_scheme",
        "sqlalchemy_query",
        "azure_conn_id",
    }
)
"Keys of a connection's extra for PostgresHook itself (its ``ignored_extra_options``); all others are for libpq."


@dataclass(frozen=True, slots=True)
class FleetAddress:
    """Where an agent is: base URL without a trailing slash, and bearer token (empty: none is sent).

    ``verify``: whether the agent's certificate is checked, or the file of the trusted certificate authorities.
    ``cert`` and ``key``: the files of our own client certificate.
    """

    base_url: str
    token: str
    verify: bool | str = True
    cert: str | None = None
    key: str | None = None


_resolved: dict[str, str] = {}
"URLs that the dag file has already looked up in this process, so that its task does not look them up again."


def database_url(conn_id: str) -> str:
    """The database's URL, for code without an event loop (dag files, set-up).

    :raises ValueError: the connection is not one that the orchestrator can use.
    """
    from airflow.sdk import BaseHook

    _resolved[conn_id] = url_of(BaseHook.get_connection(conn_id))
    return _resolved[conn_id]


async def async_database_url(conn_id: str) -> str:
    """``database_url`` for code in an event loop (triggers, tasks, API server), which must not be blocked.

    :raises ValueError: the connection is not one that the orchestrator can use.
    """
    from airflow.sdk import BaseHook

    if conn_id in _resolved:
        return _resolved[conn_id]
    return url_of(await BaseHook.aget_connection(conn_id))


def url_of(connection: Any) -> str:
    """The SQLAlchemy URL (psycopg 3) of a connection of type ``postgres``, with the libpq options of its extra.

    :raises ValueError: it is of another type, or its password is a token that expires (``iam``).
    """
    extra, name = connection.extra_dejson, f"the Airflow connection {connection.conn_id}"
    if connection.conn_type not in ("postgres", "postgresql"):
        raise ValueError(f"{name} must be of type postgres, not {connection.conn_type}")
    if extra.get("iam"):
        raise ValueError(f"{name} must have a login and a password: tokens of iam expire within minutes")
    more = {key: value for key, value in extra.items() if key not in NOT_FOR_THE_DRIVER}
    query = more | dict(extra.get("sqlalchemy_query") or {})
    url = URL.create(
        "postgresql+psycopg",
        connection.login,
        connection.password,
        connection.host,
        connection.port,
        connection.schema,
        {key: str(value) for key, value in query.items()},
    )
    return url.render_as_string(hide_password=False)


async def fleet_address(conn_id: str) -> FleetAddress:
    """The address behind an Airflow connection of our type, or of type ``http``.

    :raises WrongConnection: there is no such connection, or it cannot be used as it is.
    """
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowException

    try:
        connection = await BaseHook.aget_connection(conn_id)
    except AirflowException as error:
        raise WrongConnection(f"the Airflow connection {conn_id} is not defined") from error
    return address_of(connection)


def address_of(connection: Any) -> FleetAddress:
    """The base URL as HttpHook makes it, the token from the password, TLS from the extra.

    :raises WrongConnection: names the field that cannot be used; it never quotes the password.
    """
    name, extra = f"the Airflow connection {connection.conn_id}", connection.extra_dejson
    files = (_file(name, extra, "cert"), _file(name, extra, "key"))
    if files[1] and not files[0]:
        raise WrongConnection(f"{name}: extra has key without cert: name the client certificate as well")
    return FleetAddress(_base_url(name, connection), _token(name, connection), _verify(name, extra), *files)


def _base_url(name: str, connection: Any) -> str:
    host = (connection.host or "").strip()
    base = host if "://" in host else f"{connection.schema or 'http'}://{host}"
    scheme, _, rest = base.partition("://")
    if scheme not in ("http", "https"):
        raise WrongConnection(f"{name}: schema must be http or https, not {scheme[:20]!r}")
    if not rest.strip("/"):
        raise WrongConnection(f"{name} has no host")
    if connection.port:
        base = f"{base}:{connection.port}"
    return base.rstrip("/")


def _token(name: str, connection: Any) -> str:
    """The password; without one, or of spaces only, no token is sent."""
    password = connection.password or ""
    if not password.strip():
        return ""
    if any(each < " " or "\x7f" <= each <= "\x9f" or each > "\xff" for each in password):
        todo = "a token has no line ends or other control characters, and no letters beyond Latin-1"
        raise WrongConnection(f"{name}: its password cannot be sent as a token: {todo}")
    return str(password)


def _verify(name: str, extra: Any) -> bool | str:
    """The connection form stores text, and an empty string for a field that was left empty."""
    given = extra.get("verify")
    if isinstance(given, bool):
        return given
    if given is not None and not isinstance(given, str):
        raise WrongConnection(f"{name}: verify in extra must be true, false or the path of a CA file")
    text = (given or "").strip()
    if text.lower() in ("", "true"):
        return True
    return False if text.lower() == "false" else text


def _file(name: str, extra: Any, field: str) -> str | None:
    given = extra.get(field)
    if given is not None and not isinstance(given, str):
        raise WrongConnection(f"{name}: {field} in extra must be the path of a PEM file")
    return (given or "").strip() or None
