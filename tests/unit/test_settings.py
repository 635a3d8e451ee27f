"""Settings come from the environment, and a typo is told by its name."""

from dataclasses import fields

import pytest

from upgrade_orchestrator.settings import Settings


def test_defaults_hold_where_nothing_is_set() -> None:
    assert Settings.from_environment({}) == Settings()
    assert Settings.from_environment({"UPGRADES_LEASE_SECONDS": "", "OTHER": "1"}) == Settings()


def test_every_kind_of_setting_is_read() -> None:
    environment = {
        "UPGRADES_PLATFORM_VERSION": "3.1",
        "UPGRADES_INLINE_SECONDS": "2.5",
        "UPGRADES_WORKER_PLACES": "7",
        "UPGRADES_MAX_BACKUP_AGE_HOURS": "0",
        "UPGRADES_FOUR_EYES": "False",
        "UPGRADES_DB_CONN_ID": "elsewhere",
    }
    found = Settings.from_environment(environment)
    assert (found.platform_version, found.inline_seconds, found.four_eyes) == ("3.1", 2.5, False)
    assert found.worker_places == 7
    assert (found.max_backup_age_hours, found.db_conn_id) == (0, "elsewhere")


def test_process_environment_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPGRADES_LEASE_SECONDS", "7")
    assert Settings.from_environment().lease_seconds == 7


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", "1,5"])
@pytest.mark.parametrize("name", [each.name for each in fields(Settings) if each.type == "float"])
def test_number_that_cannot_be_is_refused_by_name(name: str, text: str) -> None:
    variable = f"UPGRADES_{name.upper()}"
    with pytest.raises(ValueError, match=f"{variable} must be a number of 0 or more, not '{text}'"):
        Settings.from_environment({variable: text})


@pytest.mark.parametrize("text", ["two", "-1", "1.5", "1e3", "\u00b2", "9" * 10])
def test_number_that_is_not_whole_is_refused_by_name(text: str) -> None:
    expected = f"UPGRADES_WORKER_PLACES must be a whole number of 0 or more, not '{text}'"
    with pytest.raises(ValueError, match=expected):
        Settings.from_environment({"UPGRADES_WORKER_PLACES": text})


def test_flag_that_is_neither_true_nor_false_is_refused() -> None:
    with pytest.raises(ValueError, match="UPGRADES_FOUR_EYES must be true or false, not 'yes'"):
        Settings.from_environment({"UPGRADES_FOUR_EYES": "yes"})
