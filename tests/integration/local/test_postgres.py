import os
import signal
from pathlib import Path

import psycopg
import pytest

from local.ports import HOST
from local.postgres.server import NAME, Postgres, running_postgres
from local.supervisor.processes import Processes


def test_postgres_keeps_what_was_committed_when_it_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    with running_postgres(folder) as server:
        with server.connect() as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS number")
        leader = Processes(folder, folder).leader(NAME)
        assert leader is not None
        os.kill(leader.pid, signal.SIGKILL)  # the postmaster alone: its children notice it themselves
        server.start()
        with server.connect() as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (42,)


def test_postgres_starts_when_the_old_process_id_belongs_to_another_process(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    with running_postgres(folder) as server:
        before = server.identity()
        server.stop()
        moved = folder / "home" / "moved-to"
        home = Path(moved.read_text().strip()) if moved.exists() else folder / "home"
        (home / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")
        server.start()
        assert server.identity() == before


def test_database_accepts_its_own_role(tmp_path: Path) -> None:
    with running_postgres(tmp_path / "server") as server:
        server.make_databases({"shop": "it's"})
        server.make_databases({"shop": "it's new"})
        with _as(server, "shop", "it's new") as connection:
            connection.execute("CREATE TABLE mine (number int)")


def test_database_refuses_a_wrong_password(tmp_path: Path) -> None:
    with running_postgres(tmp_path / "server") as server:
        server.make_databases({"shop": "right"})
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            _as(server, "shop", "wrong")


def test_postgres_server_of_a_test_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    with running_postgres(folder) as server:
        server.identity()
    assert not (folder / "home").exists()
    assert Processes(folder, folder).names() == []


def _as(server: Postgres, name: str, password: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(host=HOST, port=server.port, user=name, password=password, dbname=name, autocommit=True)
