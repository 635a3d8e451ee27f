"""The database's URL is read from the Airflow connection as the provider's hook reads it."""

import json
from typing import Any

import pytest
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk.definitions.connection import Connection
from sqlalchemy.engine import make_url

from upgrade_orchestrator.adapters.airflow.connections import url_of

WHOLE = {"host": "db.example.com", "port": 6432, "schema": "upgrades", "login": "us:er", "password": "p@ss/w%rd"}


def connection(**given: Any) -> Connection:
    extra = given.pop("extra", None)
    fields = {"conn_id": "upgrades_db", "conn_type": "postgres"} | given
    return Connection(**fields, extra=json.dumps(extra) if extra else None)


def arguments_of(made: Connection, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the provider's hook gives to psycopg."""
    if not hasattr(PostgresHook, "_create_connection"):
        pytest.skip("before 7.0 the provider's hook connects by another driver")
    given: dict[str, Any] = {}
    monkeypatch.setattr(PostgresHook, "_create_connection", lambda self, arguments: given.update(arguments))
    PostgresHook(connection=made).get_conn()
    return {name: str(each) for name, each in given.items() if each is not None}


@pytest.mark.parametrize(
    "given",
    [
        WHOLE,
        {"host": "db"},
        WHOLE | {"extra": {"sslmode": "verify-full", "sslrootcert": "/ca.pem", "connect_timeout": 5}},
        WHOLE | {"extra": {"cursor": "dictcursor", "sqlalchemy_scheme": "postgresql+asyncpg", "sslmode": "require"}},
    ],
)
def test_url_gives_psycopg_the_same_parameters_as_the_providers_hook(
    given: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_url(url_of(connection(**given)))
    theirs = arguments_of(connection(**given), monkeypatch) | {"row_factory": None}
    _, ours = url.get_dialect()().create_connect_args(url)
    assert {name: str(each) for name, each in ours.items()} | {"row_factory": None} == theirs
    assert url.drivername == "postgresql+psycopg"


def test_query_of_the_providers_url_is_kept() -> None:
    extra = {"sqlalchemy_query": {"application_name": "upgrades"}, "sslmode": "require"}
    made = connection(**WHOLE, extra=extra)
    assert make_url(url_of(made)).query == {"application_name": "upgrades", "sslmode": "require"}
    assert PostgresHook(connection=made).sqlalchemy_url.query == {"application_name": "upgrades"}


def test_connection_of_another_type_is_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match="upgrades_db must be of type postgres, not mysql"):
        url_of(connection(**WHOLE | {"conn_type": "mysql"}))


def test_password_that_expires_is_refused() -> None:
    with pytest.raises(ValueError, match="upgrades_db must have a login and a password: tokens of iam expire"):
        url_of(connection(**WHOLE, extra={"iam": True}))
    assert url_of(connection(**WHOLE, extra={"iam": False}))
