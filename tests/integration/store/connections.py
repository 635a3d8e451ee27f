"""Airflow connections for the test database."""

import json

from sqlalchemy.engine import make_url


def connection_to(url: str) -> str:
    """The Airflow connection of the database at `url`."""
    made = make_url(url)
    fields = {"login": made.username, "password": made.password, "host": made.host, "port": made.port}
    return json.dumps({"conn_type": "postgres", "schema": made.database, **fields, "extra": dict(made.query)})
