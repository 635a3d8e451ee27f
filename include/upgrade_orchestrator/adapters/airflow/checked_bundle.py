"""Whether Airflow reads the upgrades' DAG files from where the options say they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from upgrade_orchestrator.adapters.airflow.bundles import UPGRADES_BUNDLE, configured_bundle
from upgrade_orchestrator.domain.airflow.shards import SHARDS
from upgrade_orchestrator.settings import option_of

LOCAL_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"
LIST = "[dag_processor] dag_bundle_config_list"
OUR_LINE = f'{{"name": "upgrades", "classpath": "{UPGRADES_BUNDLE}", "kwargs": {{}}}}'
_SHARD_FILES = frozenset(f"shard_{number}.py" for number in range(SHARDS))


def checked_bundle(wanted: str | None, folder: str) -> str:
    """The name of the bundle with the DAG files; ``wanted`` is the option dag_bundle, ``folder`` is dags_folder.

    Otherwise each upgrade would wait for its DAG until the regular parse of the files, or for ever.

    :raises ValueError: Airflow would not find the files by these options; says which option to set to what.
    """
    configured = _configured()
    name = wanted or configured_bundle()
    ours = [each for each, entry in configured.items() if entry.get("classpath") == UPGRADES_BUNDLE]
    if name not in configured:
        raise ValueError(_unknown(name, wanted, list(configured), ours))
    if len(ours) > 1:
        raise ValueError(f"{LIST} has the bundle of the upgrades more than once ({', '.join(ours)}): keep one")
    if missing := _missing_in(configured[name], folder):
        raise ValueError(f"the bundle {name} lacks {missing}: {_mend(configured[name], ours)}")
    for other, entry in configured.items():
        if other != name and _path_of(entry) is not None and not _missing_in(entry, folder):
            raise ValueError(f"the DAG files are in the bundles {name} and {other}: leave out one of the two")
    return name


def _configured() -> dict[str, dict[str, Any]]:
    from airflow.configuration import conf
    from airflow.exceptions import AirflowConfigException

    try:
        listed = conf.getjson("dag_processor", "dag_bundle_config_list")
    except AirflowConfigException:
        listed = None
    if not isinstance(listed, list) or not all(isinstance(each, dict) and each.get("name") for each in listed):
        raise ValueError(f"{LIST} must be a JSON list of bundles with name, classpath and kwargs: add {OUR_LINE}")
    return {str(each["name"]): each for each in listed}


def _unknown(name: str, wanted: str | None, configured: list[str], ours: list[str]) -> str:
    if wanted is None:
        return f"no DAG bundle has the upgrades' DAG files: add {OUR_LINE} to {LIST}"
    options = " or ".join(ours or configured) or "the name of a bundle"
    return f"{option_of('dag_bundle')} is {name}, which is not in {LIST}: set it to {options}"


def _missing_in(entry: dict[str, Any], folder: str) -> str:
    """What the bundle lacks, or nothing; only Airflow's local bundle and ours can be looked into without a network."""
    path = _path_of(entry)
    if path is None or not (missing := _SHARD_FILES - {each.name for each in (path / folder).glob("shard_*.py")}):
        return ""
    return f"the folder {path / folder}" if missing == _SHARD_FILES else f"{path / folder / min(missing)}"


def _path_of(entry: dict[str, Any]) -> Path | None:
    if entry.get("classpath") == UPGRADES_BUNDLE:
        from upgrade_orchestrator.dag_bundle import UpgradesDagBundle

        return UpgradesDagBundle(name=str(entry["name"])).path
    if entry.get("classpath") != LOCAL_BUNDLE:
        return None
    from airflow.configuration import conf

    return Path((entry.get("kwargs") or {}).get("path") or conf.get("core", "dags_folder"))


def _mend(entry: dict[str, Any], ours: list[str]) -> str:
    if entry.get("classpath") == UPGRADES_BUNDLE:
        return f"leave {option_of('dags_folder')} at its default"
    if ours:
        return f"leave {option_of('dag_bundle')} out, or set it to {ours[0]}"
    copied = f"or copy dags/ there ({option_of('dags_folder')} names the folder)"
    return f"add {OUR_LINE} to {LIST}, {copied}"
