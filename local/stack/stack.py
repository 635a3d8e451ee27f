"""The stack behind `make up`: PostgreSQL, Kafka, the demo fleet's agent and Airflow's four components."""

import contextlib
import fcntl
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from local.airflow import settings as airflow
from local.airflow.health import request_token
from local.credentials import Credentials
from local.errors import ComponentEndedError, LocalError
from local.kafka.choice import KafkaChoice
from local.layout import Layout
from local.ports import PICKED, Ports, is_busy
from local.postgres.home import PostgresHome
from local.postgres.server import Postgres
from local.stack.components import AGENT, AIRFLOW, COMPONENTS, KAFKA, POSTGRES
from local.stack.preparation import Preparation
from local.stack.readiness import Readiness
from local.stack.stopping import stop_after_interruption, stop_in_order
from local.supervisor.account import Account
from local.supervisor.processes import Command, Processes
from local.supervisor.sessions import Leader

DEFAULT_PORT = 8084


class Stack:
    """One stack: a project, a state folder and the API server's port. Several processes may use it one after the
    other.
    """

    set_up: tuple[str, ...] = ()  # options of local.airflow.setup
    seeded = True  # including the demo's tenant, component, fleet and backup

    def __init__(
        self,
        root: Path,
        port: int = DEFAULT_PORT,
        state: Path | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.layout = Layout.of(root, state)
        self.port = port
        self._variables = dict(os.environ if variables is None else variables)
        self._processes = Processes(self.layout.run, self.layout.logs)
        self._kafka = KafkaChoice(self.layout, self._variables)

    @classmethod
    def attach(cls, root: Path, state: Path | None = None) -> "Stack":
        """The stack as last started from this state folder, on its port."""
        known = Ports.remembered(Layout.of(root, state).ports)
        return cls(root, known.api if known else DEFAULT_PORT, state)

    @property
    def url(self) -> str:
        """The address of Airflow for a browser."""
        return f"http://localhost:{self.port}"

    @property
    def ports(self) -> Ports:
        """The ports in use.

        :raises LocalError: before the first `up`.
        """
        known = Ports.remembered(self.layout.ports)
        if known is None:
            raise LocalError("the stack was never started: run `make up`")
        return known

    def up(self) -> None:
        """Start what does not run and return when all of it is ready; harmless when it already runs.

        :raises LocalError: the port is busy, or a component ended or did not become ready; then everything is stopped.
        """
        self.layout.create()
        with self._alone():
            self._check_port()
            started: list[str] = []
            try:
                self._start_all(started)
            except LocalError:
                stop_in_order(self._processes, COMPONENTS)
                raise
            except BaseException:
                stop_after_interruption(self._processes, started)
                raise

    def down(self) -> None:
        """Stop everything, PostgreSQL last; harmless when nothing runs."""
        if self.layout.run.exists():
            with self._alone():
                stop_in_order(self._processes, COMPONENTS)

    def remove(self) -> None:
        """Stop everything and delete the state folder with all data."""
        self.down()
        PostgresHome.remove(self.layout.postgres)
        shutil.rmtree(self.layout.state, ignore_errors=True)

    def kill(self, component: str) -> None:
        """Kill (-9) a component with all its child processes."""
        self._processes.kill(component)

    def start(self, component: str) -> None:
        """Start one component, without waiting until it is ready (PostgreSQL: until it answers)."""
        if component == POSTGRES:
            self.postgres().start()
        else:
            self._processes.start(self._command(component))

    def restart(self, component: str) -> None:
        """Stop one component in an orderly way, start it and wait until the stack is ready."""
        stop_in_order(self._processes, [component])
        self.start(component)
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until every component is healthy.

        :raises LocalError: one ended, or 300 s went by.
        """
        Readiness(self._processes, self.ports, self.wanted()).wait()

    def is_alive(self, component: str) -> bool:
        """Whether the component's process runs."""
        return self._processes.is_alive(component)

    def wanted(self) -> list[str]:
        """All components, except Kafka if another cluster is configured, and the agent if its program is missing."""
        left_out = set()
        if self._variables.get("KAFKA_BOOTSTRAP_SERVERS"):
            left_out.add(KAFKA)
        if importlib.util.find_spec("local.fleet.__main__") is None:
            left_out.add(AGENT)
        return [name for name in COMPONENTS if name not in left_out]

    def running(self) -> list[str]:
        """The components that run."""
        return [name for name in COMPONENTS if self.is_alive(name)]

    def leader(self, component: str) -> Leader | None:
        """The component's first process as last started; None when it was stopped or never started."""
        return self._processes.leader(component)

    def process_ids(self) -> set[int]:
        """Every process of the stack."""
        leaders = [leader for name in COMPONENTS if (leader := self.leader(name))]
        return set().union(*(leader.members() for leader in leaders))

    def env(self) -> dict[str, str]:
        """The environment for running `airflow` and the product beside the stack."""
        return airflow.environment(self.layout, self.ports, self.credentials(), self._variables)

    def token(self) -> str:
        """A JWT of the admin user.

        :raises LocalError: the stack is not up.
        """
        if not self.is_alive(airflow.API_SERVER):
            raise LocalError("the stack is not up: run `make up` first")
        return request_token(self.port, airflow.ADMIN, self.credentials().admin_password)

    def credentials(self) -> Credentials:
        """The checkout's secrets."""
        return Credentials.load(self.layout.secrets)

    def postgres(self) -> Postgres:
        """The embedded PostgreSQL."""
        password = self.credentials().postgres_password
        return Postgres(self.layout.postgres, self.ports.postgres, password, self._processes)

    def _check_port(self) -> None:
        if self.is_alive(airflow.API_SERVER):
            known = self.ports.api
            if known != self.port:
                raise LocalError(f"the stack runs on port {known}: `make down` first to move it to {self.port}")
        elif is_busy(self.port):
            raise LocalError(f"port {self.port} is busy: stop what listens there, or choose another with PORT=…")

    def _start_all(self, started: list[str]) -> None:
        if self._kafka.choose(self.is_alive(KAFKA)):
            stop_in_order(self._processes, [KAFKA])
        alive = self.running()
        before = Ports.remembered(self.layout.ports)
        chosen = Ports.choose(self.layout.ports, self.port, [name for name in PICKED if name in alive])
        if before != chosen:
            stop_in_order(self._processes, AIRFLOW)  # they still use the old ports
        missing = [name for name in self.wanted() if not self.is_alive(name)]
        started += missing
        self._start_ground(missing)
        preparation = Preparation(self.layout, self.env(), self.credentials(), self.postgres(), *self.set_up)
        if preparation.is_due():
            stop_in_order(self._processes, AIRFLOW)  # the set-up changes tables and roles that they use
            started += AIRFLOW
            preparation.run()
        for name in AIRFLOW:
            self.start(name)
        self._wait_ready_or_start_again(started)
        if self.seeded:
            preparation.seed()

    def _wait_ready_or_start_again(self, started: list[str]) -> None:
        """Start a component again once if it had run before and ended because PostgreSQL was away."""
        while True:
            try:
                return self.wait_ready()
            except ComponentEndedError as ended:
                if ended.component in started:
                    raise
                started.append(ended.component)
                self.start(ended.component)

    def _start_ground(self, missing: list[str]) -> None:
        for name in (KAFKA, AGENT):
            if name in missing:
                self.start(name)
        self.start(POSTGRES)
        secrets = self.credentials()
        passwords = {
            airflow.METADATA_DATABASE: secrets.airflow_db_password,
            airflow.UPGRADES_DATABASE: secrets.upgrades_db_password,
        }
        self.postgres().make_databases(passwords)

    def _command(self, name: str) -> Command:
        ports = self.ports
        own = {
            KAFKA: self._kafka.argv(ports.kafka),
            AGENT: [sys.executable, "-m", "local.fleet", f"--port={ports.agent}", f"--state={self.layout.fleet}"],
        }
        argv = (own | airflow.commands(self.port))[name]
        # In the environment, not as an argument: every user of the machine can read arguments.
        env = self.env() | {"FLEET_TOKEN": self.credentials().agent_token}
        return Command(name, argv, env, self.layout.root, Account())

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Allow one `up` or `down` at a time: the lock is released when the process that holds it ends."""
        with (self.layout.state / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LocalError("another `make up` or `make down` is at work on this stack: wait for it") from None
            yield
