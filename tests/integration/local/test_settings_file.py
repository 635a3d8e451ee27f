from pathlib import Path

import pytest

from local.airflow.settings_file import Pool, SettingsFile
from local.errors import LocalError

ROOT = Path(__file__).resolve().parents[3]


def test_settings_file_of_the_project_lists_the_connections_of_the_product() -> None:
    names = {
        connection.name: connection.kind for connection in SettingsFile.read(ROOT / "airflow_settings.yaml").connections
    }
    assert names == {"upgrades_db": "postgres", "kafka_events": "kafka", "demo_fleet": "upgrade_fleet_agent"}


def test_empty_example_entries_of_the_settings_file_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "airflow_settings.yaml"
    path.write_text(
        "airflow:\n  connections:\n    - conn_id:\n      conn_type:\n"
        "  pools:\n    - {pool_name: p, pool_slot: 3, pool_description: }\n"
        "  variables:\n    - {variable_name: v, variable_value: 7}\n    - {variable_name: , variable_value: }\n"
    )
    assert SettingsFile.read(path) == SettingsFile((), (Pool("p", 3, ""),), {"v": "7"})


@pytest.mark.parametrize(
    "text", ["airflow: [", "airflow: text", "- a list", "airflow: {pools: [{pool_name: p, pool_slot: x}]}"]
)
def test_settings_file_of_another_shape_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "airflow_settings.yaml"
    path.write_text(text)
    with pytest.raises(LocalError, match=r"\Aairflow_settings.yaml cannot be read: [^\n]+\Z"):
        SettingsFile.read(path)
