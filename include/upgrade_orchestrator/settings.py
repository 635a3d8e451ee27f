"""Settings: the options of section ``[upgrades]`` in Airflow's configuration; read when wiring, never at import.

Each is listed by ``airflow config list`` and may be given by an environment variable, as any option of Airflow's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

SECTION = "upgrades"


def variable_of(name: str) -> str:
    """The environment variable that gives the option ``name``."""
    return f"AIRFLOW__{SECTION.upper()}__{name.upper()}"


def option_of(name: str) -> str:
    """How messages name the option."""
    return f"[{SECTION}] {name} ({variable_of(name)})"


def _option(default: Any, description: str, *, least: float = 0, example: str | None = None) -> Any:
    """An option; ``least`` is the lowest number that it may be."""
    return field(default=default, metadata={"description": description, "least": least, "example": example})


@dataclass(frozen=True, slots=True)
class Settings:
    """Every option with its default."""

    db_conn_id: str = _option("upgrades_db", "The Airflow connection of the orchestrator's own PostgreSQL database.")
    kafka_conn_id: str = _option(
        "kafka_events",
        "The Airflow connection of the Kafka that events are published to; where it is not defined, none are.",
    )
    kafka_topic: str = _option(
        "registry.upgrade-orchestration-events", "The topic that events are published to; it must exist."
    )
    platform_version: str | None = _option(
        None, "What a version's minPlatformVersion and maxPlatformVersion are compared with.", example="3.1"
    )
    max_backup_age_hours: float = _option(24, "How old the backup may be that a rollback would need.")
    check_timeout_seconds: float = _option(60, "After how long a pre-upgrade check counts as failed.", least=1)
    inline_seconds: float = _option(
        8, "How long the work that an upgrade begins with stays in its worker before it goes on in the triggerer."
    )
    worker_places: int = _option(
        1,
        "How many of the upgrades that are started within 15 s begin in a worker, each within a second; the others "
        "begin in the triggerer, some 3 s after their start, as does one that is started in the same moment as "
        "another; 0: all of them.",
    )
    lease_seconds: float = _option(
        10, "How long the holder of a deployment may be silent before another takes over.", least=1
    )
    dag_retention_days: float = _option(7, "How long a finished execution keeps its DAG.")
    dags_folder: str = _option("upgrade_executions", "Where the shard files are within the DAG bundle.")
    dag_bundle: str | None = _option(
        None,
        "The name of the DAG bundle that holds the upgrades' DAG files; left out, it is the configured bundle of the "
        "class upgrade_orchestrator.dag_bundle.UpgradesDagBundle, and dags-folder where there is none.",
        example="dags-folder",
    )
    calls_per_second: float = _option(
        200,
        "How many calls a second one caller may make in the long run; 0: without limit. Each API server process counts "
        "for itself, so with several a caller may make as many times more; beyond it is 429 with Retry-After.",
    )
    calls_at_once: float = _option(2000, "How many calls one caller may make before calls_per_second counts.", least=1)
    stream_seconds: float = _option(
        300,
        "How long a live stream of events lives at the most; its reader then connects again, and its token and rights "
        "are checked again.",
        least=1,
    )
    notifiers: str | None = _option(
        None,
        "Where the mapping of Airflow notifiers for approvals, failures and rollbacks is, as module:NAME; none are "
        "called where it is not set.",
        example="include.my_notifiers:NOTIFIERS",
    )
    four_eyes: bool = _option(True, "Whether the creator of an upgrade is kept from approving its stages.")

    @classmethod
    def read(cls) -> Settings:
        """As Airflow's configuration says now.

        :raises ValueError: naming the option that cannot be understood, and what is accepted.
        """
        from airflow.configuration import conf

        return cls._from(lambda name: conf.get(SECTION, name, fallback=None))

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> Settings:
        """From the texts of the options that are given.

        :raises ValueError: naming the option that cannot be understood, and what is accepted.
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
