"""The provider's description is valid by Airflow's schema, and agrees with the code and the page."""

import json
import tomllib
from dataclasses import fields
from importlib.resources import files

import jsonschema_rs

from tests.architecture.sources import ROOT
from upgrade_orchestrator.adapters.airflow.bundles import UPGRADES_BUNDLE
from upgrade_orchestrator.adapters.airflow.connections import NOT_FOR_THE_DRIVER
from upgrade_orchestrator.adapters.fleet.hook import FleetAgentHook
from upgrade_orchestrator.dag_bundle import UpgradesDagBundle
from upgrade_orchestrator.provider import get_provider_info
from upgrade_orchestrator.settings import Settings

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_provider_info_conforms_to_airflows_schemas() -> None:
    info = get_provider_info()
    for name in ("provider_info.schema.json", "provider.yaml.schema.json"):
        schema = json.loads((files("airflow") / name).read_text())
        parts = {"properties": schema["properties"], "definitions": schema.get("definitions", {})}
        jsonschema_rs.Draft7Validator(parts).validate(info)
    assert info["package-name"] == PROJECT["name"]


def test_each_setting_is_an_option_with_its_default_and_nothing_else_is() -> None:
    options = get_provider_info()["config"]["upgrades"]["options"]
    assert list(options) == [each.name for each in fields(Settings)]
    given = {name: option["default"] for name, option in options.items() if option["default"] is not None}
    assert Settings.of(given) == Settings()
    assert all(option["description"].endswith(".") and option["version_added"] for option in options.values())


def test_no_option_is_a_secret() -> None:
    options = get_provider_info()["config"]["upgrades"]["options"]
    assert not [name for name in options if any(word in name for word in ("password", "secret", "token", "key"))]


def test_connection_type_is_that_of_the_hook() -> None:
    (kind,) = get_provider_info()["connection-types"]
    hook = f"{FleetAgentHook.__module__}.{FleetAgentHook.__qualname__}"
    assert (kind["connection-type"], kind["hook-class-name"]) == (FleetAgentHook.conn_type, hook)
    assert kind["hook-name"] == FleetAgentHook.hook_name


def test_bundle_is_registered_by_its_class() -> None:
    assert f"{UpgradesDagBundle.__module__}.{UpgradesDagBundle.__qualname__}" == UPGRADES_BUNDLE


def test_extra_of_a_postgres_connection_is_read_as_the_providers_hook_reads_it() -> None:
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    # the last came with 6.4 of the provider
    assert PostgresHook.ignored_extra_options | {"azure_conn_id"} == NOT_FOR_THE_DRIVER
