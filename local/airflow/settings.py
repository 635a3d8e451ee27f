"""Airflow's settings in the local stack, each with its reason where that is not obvious.

Airflow reads `AIRFLOW__SECTION__KEY`. A deployment of your own needs the ones under "the upgrades need these".
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from local.credentials import Credentials
from local.layout import Layout
from local.ports import HOST, Ports
from local.postgres.server import sqlalchemy_url
from upgrade_orchestrator.adapters.airflow.connections import AGENT_TYPE
from upgrade_orchestrator.settings import variable_of

ADMIN = "admin"
API_SERVER, SCHEDULER, DAG_PROCESSOR, TRIGGERER = "api-server", "scheduler", "dag-processor", "triggerer"
METADATA_DATABASE, UPGRADES_DATABASE = "airflow", "upgrades"
SCHEDULER_IDLE_SECONDS = "SCHEDULER_IDLE_SECONDS"
"The environment variable that lengthens the scheduler's pauses, for a stack that many tests share."


# Settings of another Airflow installation, and one that would make every process compile its imports again.
_LEFT_OUT = ("AIRFLOW_", "_AIRFLOW", "PYTHONDONTWRITEBYTECODE")
_PRODUCT = variable_of("")
"The environment variables of the product's own options begin with this; they are passed on."


def environment(layout: Layout, ports: Ports, credentials: Credentials, inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment of every Airflow process: what we inherit, without Airflow settings of another installation."""
    kept = {key: value for key, value in inherited.items() if key.startswith(_PRODUCT) or not key.startswith(_LEFT_OUT)}
    own = {
        # The demo's backup is in the state folder, the tutorial's in the project.
        variable_of("backup_roots"): kept.get(
            variable_of("backup_roots"), f"{layout.state.as_uri()},{layout.root.as_uri()}"
        ),
        "AIRFLOW_HOME": str(layout.airflow_home),
        "PYTHONPATH": str(layout.root),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}",
        # A proxy of the network must not be used for this machine.
        "NO_PROXY": _without_proxy(kept),
        "no_proxy": _without_proxy(kept),
        # macOS ends forked children that use its frameworks, and LocalExecutor forks its workers.
        "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",
    }
    stack = _as_variables(_settings(layout, ports, kept)) | _secrets(ports, credentials)
    return kept | own | stack | _connections(ports, credentials, kept)


def commands(port: int) -> dict[str, list[str]]:
    """The command line of each Airflow component.

    The log servers are left out: they would listen on every address, and the API server reads the logs' files.
    """
    airflow = [sys.executable, "-m", "airflow"]
    return {
        API_SERVER: [*airflow, "api-server", "--host", HOST, "--port", str(port)],
        SCHEDULER: [*airflow, "scheduler", "--skip-serve-logs"],
        DAG_PROCESSOR: [*airflow, "dag-processor"],
        TRIGGERER: [*airflow, "triggerer", "--skip-serve-logs"],
    }


def kafka_bootstrap(ports: Ports, variables: Mapping[str, str]) -> str:
    """Kafka's address: KAFKA_BOOTSTRAP_SERVERS when set, else the stack's own Kafka."""
    return variables.get("KAFKA_BOOTSTRAP_SERVERS") or f"{HOST}:{ports.kafka}"


def _without_proxy(inherited: Mapping[str, str]) -> str:
    known = inherited.get("NO_PROXY") or inherited.get("no_proxy") or ""
    return ",".join(filter(None, [known, HOST, "localhost"]))


def _settings(layout: Layout, ports: Ports, variables: Mapping[str, str]) -> dict[str, dict[str, object]]:
    return {
        "core": {
            "auth_manager": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
            "executor": "LocalExecutor",
            "dags_folder": layout.root / "dags",
            "plugins_folder": layout.root / "plugins",
            "load_examples": False,
            # Workers are forked from the scheduler: what the plugin has loaded there, they need not load.
            "lazy_load_plugins": False,
            # LocalExecutor forks this many workers at once; the upgrades hold a worker for seconds only.
            "parallelism": 16,
            # Else workers look for it on port 8080 and every task fails while queued.
            "execution_api_server_url": f"http://{HOST}:{ports.api}/execution/",
        },
        "api": {"base_url": f"http://localhost:{ports.api}", "host": HOST, "port": ports.api, "workers": 1},
        "logging": {"base_log_folder": layout.airflow_home / "logs", "logging_level": "INFO"},
        "usage_data_collection": {"enabled": False},
        # Needed by the upgrades:
        "scheduler": {
            # Each task waits up to this long after the one before it: 1 s by default; 0.2 costs a fifth of a core.
            "scheduler_idle_sleep_time": variables.get(SCHEDULER_IDLE_SECONDS, "0.2"),
            # How long a killed worker goes unnoticed: 300 s by default. Tasks are safe to repeat.
            "task_instance_heartbeat_timeout": 30,
            "task_instance_heartbeat_timeout_detection_interval": 5,
            # After how long a new scheduler takes over the tasks of a killed one: 300 s by default.
            "orphaned_tasks_check_interval": 10,
            # Examining a run costs 8 ms: at 20 of them a turn (the default), twenty runs keep the scheduler busy with
            # that alone. Runs examined longest ago come first, new ones before them.
            "max_dagruns_per_loop_to_schedule": 8,
            "enable_health_check": False,
        },
        # At times a supervisor misses the end of its task's process and sleeps until its next heartbeat, and its worker
        # is held so long: 5 s by default.
        "workers": {"min_heartbeat_interval": 2},
        "dag_processor": {
            # Upgrades request a parse of their DAG file themselves; regular turns of full files would delay it.
            "min_file_process_interval": 120,
            "refresh_interval": 60,
            # One file at a time: requests for a file that waits for its turn are served by one parse of it.
            "parsing_processes": 1,
        },
    }


def _secrets(ports: Ports, credentials: Credentials) -> dict[str, str]:
    metadata = sqlalchemy_url(METADATA_DATABASE, credentials.airflow_db_password, ports.postgres, METADATA_DATABASE)
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
        # psycopg 3 serves both; without this, Airflow asks for asyncpg.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": metadata,
        "AIRFLOW__CORE__FERNET_KEY": credentials.fernet_key,
        "AIRFLOW__API__SECRET_KEY": credentials.api_secret_key,
        "AIRFLOW__API_AUTH__JWT_SECRET": credentials.jwt_secret,
    }


def _connections(ports: Ports, credentials: Credentials, variables: Mapping[str, str]) -> dict[str, str]:
    """The connections, whose ports and passwords only the stack knows."""
    database = {"host": HOST, "port": ports.postgres, "login": UPGRADES_DATABASE, "schema": UPGRADES_DATABASE}
    producer = {"bootstrap.servers": kafka_bootstrap(ports, variables), "enable.idempotence": True, "acks": "all"}
    agent = {
        "conn_type": AGENT_TYPE,
        "host": HOST,
        "port": ports.agent,
        "schema": "http",
        "password": credentials.agent_token,
    }
    return {
        "AIRFLOW_CONN_UPGRADES_DB": json.dumps(
            {"conn_type": "postgres", "password": credentials.upgrades_db_password, **database}
        ),
        "AIRFLOW_CONN_KAFKA_EVENTS": json.dumps({"conn_type": "kafka", "extra": producer}),
        "AIRFLOW_CONN_DEMO_FLEET": json.dumps(agent),
    }


def _as_variables(settings: dict[str, dict[str, object]]) -> dict[str, str]:
    return {
        f"AIRFLOW__{section.upper()}__{key.upper()}": str(value)
        for section, values in settings.items()
        for key, value in values.items()
    }
