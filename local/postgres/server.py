"""PostgreSQL 18 from a wheel's programs: TCP on 127.0.0.1, a password, no Unix socket, no new system account."""

import contextlib
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from local.errors import LocalError
from local.ports import HOST, free_port
from local.postgres.home import PostgresHome
from local.supervisor.processes import Command, Processes

NAME = "postgres"
STOP_SIGNAL = signal.SIGINT  # "fast" shutdown: ends the connections instead of waiting for them
SUPERUSER = "postgres"
_READY_SECONDS = 60
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "jit": "off",  # Airflow's queries are short: JIT compilation costs more than it saves
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres:
    """One server with one data folder."""

    def __init__(self, folder: Path, port: int, password: str, processes: Processes) -> None:
        self._folder, self.port, self._password = folder, port, password
        self._processes = processes

    def start(self) -> None:
        """Start it, creating the data folder the first time, and wait until it answers.

        :raises LocalError: it cannot be started or does not answer within 60 s.
        """
        if self._processes.is_alive(NAME) and self._answers():
            return
        home = PostgresHome.prepare(self._folder)
        self._processes.kill(NAME)
        _make_data(home, self._password)
        _clear_remains(home.data)
        self._processes.start(self._command(home))
        if not self._answers():
            raise LocalError(f"postgres ended while starting:\n{self._processes.last_lines(NAME)}")

    def stop(self) -> None:
        """Stop it."""
        self._processes.stop({NAME: 10}, {NAME: STOP_SIGNAL})

    def make_databases(self, passwords: Mapping[str, str]) -> None:
        """For each name: a role that logs in with that password, and a database of the same name that it owns."""
        with self.connect() as connection:
            for name, password in passwords.items():
                _make_role(connection, name, password)
                _make_database(connection, name)

    def identity(self) -> str:
        """The cluster's system identifier: it differs after the data folder was recreated."""
        with self.connect() as connection:
            row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
        assert row is not None
        return str(row[0])

    def connect(self, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        """An autocommit connection as the superuser."""
        return psycopg.connect(
            host=HOST,
            port=self.port,
            user=SUPERUSER,
            password=self._password,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def url(self, database: str = "postgres") -> str:
        """SQLAlchemy's URL for the superuser."""
        return sqlalchemy_url(SUPERUSER, self._password, self.port, database)

    def _command(self, home: PostgresHome) -> Command:
        settings = [f"--{key}={value}" for key, value in {**_SETTINGS, "port": str(self.port)}.items()]
        argv = [str(home.programs / "postgres"), "-D", str(home.data), *settings]
        return Command(NAME, argv, _environment(home), Path("/"), home.account, STOP_SIGNAL)

    def _answers(self) -> bool:
        """Wait until it answers; False when the server ends instead."""
        deadline = time.monotonic() + _READY_SECONDS
        while self._processes.is_alive(NAME):
            try:
                self.connect().close()
                return True
            except psycopg.OperationalError as error:
                _check_worth_waiting(error, deadline)
            time.sleep(0.05)
        return False


def _check_worth_waiting(error: psycopg.OperationalError, deadline: float) -> None:
    if "password authentication failed" in str(error):
        raise LocalError("PostgreSQL refuses our password: the state folder's secrets and data do not belong together")
    if time.monotonic() > deadline:
        raise LocalError(f"PostgreSQL did not answer within {_READY_SECONDS} s: {error}")


def sqlalchemy_url(user: str, password: str, port: int, database: str) -> str:
    """The URL by which SQLAlchemy reaches a database of the stack through psycopg 3."""
    return f"postgresql+psycopg://{user}:{quote(password, safe='')}@{HOST}:{port}/{database}"


@contextlib.contextmanager
def running_postgres(folder: Path) -> Iterator[Postgres]:
    """A server of its own below `folder` while the block runs, removed afterwards. For tests."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)
    server = Postgres(folder / "home", free_port(), "only-for-this-test", Processes(folder, folder))
    try:
        server.start()
        yield server
    finally:
        server.stop()
        PostgresHome.remove(folder / "home")


def _environment(home: PostgresHome) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(home.folder)}


def _make_data(home: PostgresHome, password: str) -> None:
    """Run initdb under another name first, so that a data folder with the final name is complete."""
    if home.data.exists():
        return
    draft, password_file = home.folder / "data.new", home.folder / "password"
    shutil.rmtree(draft, ignore_errors=True)
    password_file.unlink(missing_ok=True)
    password_file.touch(0o600)
    home.account.own(password_file)
    try:
        password_file.write_text(password)
        _initdb(home, draft, password_file)
    finally:
        password_file.unlink(missing_ok=True)
    draft.rename(home.data)


def _initdb(home: PostgresHome, data: Path, password_file: Path) -> None:
    argv = [str(home.programs / "initdb"), "-D", str(data), "-U", SUPERUSER, "-A", "scram-sha-256"]
    argv += [f"--pwfile={password_file}", "-E", "UTF8", "--locale=C", "--no-sync"]
    done = subprocess.run(
        argv,
        cwd="/",
        env=_environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **home.account.as_options(),
    )
    if done.returncode != 0:
        raise LocalError(f"initdb failed: {(done.stderr or done.stdout).strip()}")


def _clear_remains(data: Path) -> None:
    """End the remaining processes of a killed server and remove its pid file: another process may have that id now."""
    deadline = time.monotonic() + _READY_SECONDS
    while survivors := _servers_of(data):
        for survivor in survivors:
            with contextlib.suppress(psutil.Error):
                survivor.kill()
        if time.monotonic() > deadline:
            raise LocalError(f"another PostgreSQL, process {survivors[0].pid}, runs on {data}: stop it first")
        time.sleep(0.05)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _servers_of(data: Path) -> list[psutil.Process]:
    """PostgreSQL's processes, found by their working folder, because they change their names."""
    return [process for process in psutil.process_iter() if _works_in(process, data)]


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        is_server = process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
        return is_server and process.cwd() == str(folder)
    except (psutil.Error, OSError):
        return False


def _make_role(connection: "psycopg.Connection[tuple[object, ...]]", name: str, password: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    verb = sql.SQL("ALTER" if known else "CREATE")
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, sql.Identifier(name), sql.Literal(password))
    )


def _make_database(connection: "psycopg.Connection[tuple[object, ...]]", name: str) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        return
    connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(name)))
