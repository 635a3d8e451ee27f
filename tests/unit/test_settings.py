"""Settings are options of Airflow's configuration, and a bad value is refused by the option's name."""

from dataclasses import Field, fields
from typing import Any

import pytest

from upgrade_orchestrator.settings import Settings

NUMBERS = [each for each in fields(Settings) if each.type == "float"]


def test_defaults_hold_where_nothing_is_set() -> None:
    assert Settings.of({}) == Settings()
    assert Settings.of({"lease_seconds": "", "other": "1"}) == Settings()


def test_setting_of_every_type_is_read() -> None:
    texts = {
        "platform_version": "3.1",
        "inline_seconds": "2.5",
        "worker_places": "7",
        "max_backup_age_hours": "0",
        "four_eyes": "False",
        "db_conn_id": "elsewhere",
    }
    found = Settings.of(texts)
    assert (found.platform_version, found.inline_seconds, found.four_eyes) == ("3.1", 2.5, False)
    assert found.worker_places == 7
    assert (found.max_backup_age_hours, found.db_conn_id) == (0, "elsewhere")


def test_airflows_configuration_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__UPGRADES__LEASE_SECONDS", "7")
    monkeypatch.setenv("AIRFLOW__UPGRADES__FOUR_EYES", "false")
    assert Settings.read() == Settings(lease_seconds=7, four_eyes=False)


def test_airflows_configuration_without_the_section_gives_the_defaults() -> None:
    assert Settings.read() == Settings()


def test_environment_variable_of_the_former_name_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPGRADES_LEASE_SECONDS", "7")
    assert Settings.read() == Settings()


def test_bad_value_in_airflows_configuration_is_refused_by_option_and_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__UPGRADES__WORKER_PLACES", "many")
    with pytest.raises(ValueError, match=r"^\[upgrades\] worker_places \(AIRFLOW__UPGRADES__WORKER_PLACES\) must be"):
        Settings.read()


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", "1,5"])
@pytest.mark.parametrize("option", NUMBERS, ids=lambda each: each.name)
def test_number_that_is_invalid_is_refused_by_name(option: Field[Any], text: str) -> None:
    with pytest.raises(
        ValueError, match=rf"\[upgrades\] {option.name} .* must be a number of [01] or more, not '{text}'"
    ):
        Settings.of({option.name: text})


def test_number_below_the_minimum_is_refused_and_the_minimum_is_accepted() -> None:
    with pytest.raises(ValueError, match="lease_seconds .* must be a number of 1 or more, not '0.5'"):
        Settings.of({"lease_seconds": "0.5"})
    assert Settings.of({"lease_seconds": "1"}).lease_seconds == 1


@pytest.mark.parametrize("text", ["two", "-1", "1.5", "1e3", "\u00b2", "9" * 10])
def test_number_that_is_not_whole_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=f"worker_places .* must be a whole number of 0 or more, not '{text}'"):
        Settings.of({"worker_places": text})


def test_flag_that_is_neither_true_nor_false_is_refused() -> None:
    with pytest.raises(ValueError, match="four_eyes .* must be true or false, not 'yes'"):
        Settings.of({"four_eyes": "yes"})
