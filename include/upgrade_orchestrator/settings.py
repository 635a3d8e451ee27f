"""Settings from the environment, each ``UPGRADES_<NAME>``; read when wiring, never at import."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

PREFIX = "UPGRADES_"


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default."""

    db_conn_id: str = "upgrades_db"
    "The Airflow connection of our own database."
    kafka_conn_id: str = "kafka_events"
    "The Airflow connection of the Kafka that events are published to; where it is not defined, none are."
    kafka_topic: str = "registry.upgrade-orchestration-events"
    "The topic they are published to; it must be there."
    platform_version: str | None = None
    "What minPlatformVersion and maxPlatformVersion are compared with."
    max_backup_age_hours: float = 24
    "How old the backup may be that a rollback would need."
    check_timeout_seconds: float = 60
    "After which a pre-upgrade check counts as failed."
    inline_seconds: float = 8
    "How long the work that an upgrade begins with stays in its worker before it goes on in the triggerer."
    worker_places: int = 1
    "How many of the upgrades that are started within some seconds begin in a worker, the others in the triggerer."
    lease_seconds: float = 10
    "How long the holder of a deployment may be silent before another takes over."
    dag_retention_days: float = 7
    "How long a finished execution keeps its DAG."
    dags_folder: str = "upgrade_executions"
    "Where the shard files are within the DAG bundle."
    dag_bundle: str = "dags-folder"
    "The name of the DAG bundle that holds them."
    calls_per_second: float = 200
    "How many calls a second one caller may make of one API server process in the long run; 0: as many as it likes."
    calls_at_once: float = 2000
    "How many it may make before that counts."
    stream_seconds: float = 300
    "How long a live stream of events lives at the most; its reader then connects again, and is asked again who it is."
    notifiers: str | None = None
    "Where the mapping of Airflow notifiers is, as module:NAME; none are told where it is not set."
    four_eyes: bool = True
    "Whether the creator of an execution is kept from approving its stages."

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """:raises ValueError: naming the variable that cannot be understood."""
        found = os.environ if environment is None else environment
        values: dict[str, object] = {}
        for each in fields(cls):
            text = found.get(PREFIX + each.name.upper())
            if text:
                values[each.name] = _parse(PREFIX + each.name.upper(), str(each.type), text)
        return cls(**values)  # type: ignore[arg-type]


def _parse(name: str, wanted: str, text: str) -> object:
    if wanted == "bool":
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{name} must be true or false, not {text!r}")
        return text.lower() == "true"
    if wanted == "float":
        return _number(name, text)
    if wanted == "int":
        return _whole_number(name, text)
    return text


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise ValueError(f"{name} must be a number of 0 or more, not {text!r}")
    return number


def _whole_number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError(f"{name} must be a whole number of 0 or more, not {text!r}")
    return int(text)
