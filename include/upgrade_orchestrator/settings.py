"""The options of section ``[upgrades]`` in Airflow's configuration; read when wiring, never at import.

``airflow config list`` lists them, and each can be set by an environment variable, like any option of Airflow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

SECTION = "upgrades"


def variable_of(name: str) -> str:
    """The environment variable for the option ``name``."""
    return f"AIRFLOW__{SECTION.upper()}__{name.upper()}"


def option_of(name: str) -> str:
    """The option's name in messages."""
    return f"[{SECTION}] {name} ({variable_of(name)})"


def _option(default: Any, description: str, *, least: float = 0, example: str | None = None) -> Any:
    """An option; ``least`` is the smallest valid number."""
    return field(default=default, metadata={"description": description, "least": least, "example": example})


@dataclass(frozen=True, slots=True)
class Settings:
    """Every option with its default."""

    db_conn_id: str = _option("upgrades_db", "The Airflow connection of the orchestrator's own PostgreSQL database.")
    kafka_conn_id: str = _option(
        "kafka_events",
        "The Airflow connection of the Kafka that events are published to; if it is not defined, none are published.",
    )
    kafka_topic: str = _option(
        "registry.upgrade-orchestration-events", "The topic that events are published to; it must exist."
    )
    platform_version: str | None = _option(
        None,
        "The platform version that is compared with minPlatformVersion and maxPlatformVersion of versions.",
        example="3.1",
    )
    max_backup_age_hours: float = _option(24, "Maximum age of the backup that a rollback would need.")
    check_timeout_seconds: float = _option(
        60, "Time-out of a pre-upgrade check, after which it counts as failed.", least=1
    )
    backup_roots: str | None = _option(
        None,
        "Where backups may be, as prefixes of locations with commas between them; nothing is read from elsewhere. By "
        "default the folder backups in AIRFLOW_HOME, and s3://, gs://, abfs:// and abfss://.",
        example="file:///mnt/backups,s3://aws_backups@bucket/nightly",
    )
    backup_min_mib_per_second: float = _option(
        50,
        "The rate at which a storage lets backups be read at least: the time-out for reading a backup is "
        "check_timeout_seconds and its size by this rate, at most 6 h.",
        least=1,
    )
    inline_seconds: float = _option(
        8, "How long the first work of an upgrade stays in its worker before it continues in the triggerer."
    )
    worker_places: int = _option(
        1,
        "Of the upgrades started within the same 15 s, at most this many run their first step in a worker, where it "
        "begins within 1 s. The others begin in the triggerer, after about 3 s; so does one that is started at the "
        "same moment as another. 0: all begin in the triggerer.",
    )
    lease_seconds: float = _option(
        10, "How long a runner may fail to renew its lease on a deployment before another takes over.", least=1
    )
    dag_retention_days: float = _option(7, "How long an execution keeps its DAG after its end.")
    dags_folder: str = _option("upgrade_executions", "The folder of the shard files in the DAG bundle.")
    dag_bundle: str | None = _option(
        None,
        "The name of the DAG bundle with the upgrades' DAG files; by default the configured bundle of class "
        "upgrade_orchestrator.dag_bundle.UpgradesDagBundle, or dags-folder if there is none.",
        example="dags-folder",
    )
    calls_per_second: float = _option(
        200,
        "Average number of calls per second that one caller may make; more get 429 with Retry-After. 0: no limit. Each "
        "API server process counts separately, so the limit is multiplied by their number.",
    )
    calls_at_once: float = _option(
        2000, "How many calls one caller may make at once before calls_per_second applies.", least=1
    )
    stream_seconds: float = _option(
        300,
        "Maximum duration of a live stream of events. The client then reconnects, and its token and permissions are "
        "checked again.",
        least=1,
    )
    notifiers: str | None = _option(
        None,
        "The mapping of Airflow notifiers for approvals, failures and rollbacks, as module:NAME; without it, no "
        "notices are sent.",
        example="include.my_notifiers:NOTIFIERS",
    )
    four_eyes: bool = _option(True, "Whether the creator of an upgrade is forbidden to approve its stages.")

    @classmethod
    def read(cls) -> Settings:
        """Read Airflow's configuration as it is now.

        :raises ValueError: an option is invalid; names it and what it accepts.
        """
        from airflow.configuration import conf

        return cls._from(lambda name: conf.get(SECTION, name, fallback=None))

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> Settings:
        """Parse the texts of the given options; others get their defaults.

        :raises ValueError: an option is invalid; names it and what it accepts.
        """
        return cls._from(texts.get)

    @classmethod
    def _from(cls, text_of: Callable[[str], str | None]) -> Settings:
        values: dict[str, object] = {}
        for each in fields(cls):
            text = text_of(each.name)
            if text:
                values[each.name] = _parse(each, text)
        return cls(**values)  # type: ignore[arg-type]


def _parse(option: Field[Any], text: str) -> object:
    wanted, name, least = str(option.type), option_of(option.name), option.metadata["least"]
    if wanted == "bool":
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{name} must be true or false, not {text!r}")
        return text.lower() == "true"
    if wanted == "float":
        return _number(name, text, least)
    if wanted == "int":
        return _whole_number(name, text, least)
    return text


def _number(name: str, text: str, least: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number < math.inf:
        raise ValueError(f"{name} must be a number of {least:g} or more, not {text!r}")
    return number


def _whole_number(name: str, text: str, least: float) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) >= least):
        raise ValueError(f"{name} must be a whole number of {least:g} or more, not {text!r}")
    return int(text)
