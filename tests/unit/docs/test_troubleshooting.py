"""docs/troubleshooting.md names codes, checks, statuses and settings that exist, and leaves no code out."""

import re
from dataclasses import fields

from tests.unit.docs.pages import names, page, rows, section
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckStatus
from upgrade_orchestrator.domain.execution.attention import CAUSES
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.service.ports.outbox import RelayState
from upgrade_orchestrator.settings import Settings
from upgrade_orchestrator.web.http.problems import KINDS

PAGE = page("troubleshooting.md")
_LOUD = re.compile(r"\b[A-Z][A-Z]+(?:_[A-Z]+)+\b")
_SETTING = re.compile(r"`([a-z]+(?:_[a-z]+)+)`")
INTERNAL = {"INTERNAL_ERROR", "LOST_LEASE"}
"Codes that no call is refused with on purpose."


def _codes() -> dict[str, int]:
    return {code: int(kind.status) for code, kind in KINDS.items()}


def test_every_code_named_on_the_page_exists() -> None:
    others = {str(each) for kind in (CheckName, CheckStatus, ExecutionStatus, InstanceStatus) for each in kind}
    strategies = {"BLUE_GREEN"}
    assert set(_LOUD.findall(PAGE)) - _codes().keys() - others - strategies - CAUSES.keys() - {"UPGRADES_POLL"} == set()


def test_every_code_of_a_refused_call_is_explained_with_its_status() -> None:
    cells = [row[0] for row in rows(section(PAGE, "## The API refuses a call"))]
    documented = {names(cell)[0]: int(re.findall(r"\((\d{3})\)", cell)[0]) for cell in cells if "(" in cell}
    plain = {"MALFORMED", "NO_ACTIVE_UPGRADE"} | INTERNAL
    assert documented == {code: status for code, status in _codes().items() if code not in plain}


def test_every_check_is_explained() -> None:
    assert {row[0] for row in rows(section(PAGE, "## A check has failed"))} == {*map(str, CheckName), "any"}


def test_every_state_of_the_relay_is_explained() -> None:
    text = section(PAGE, "## `GET /health` is 503")
    assert {each.value for each in RelayState} - set(names(text)) <= {"running"}


def test_settings_named_on_the_page_exist() -> None:
    known = {each.name for each in fields(Settings)} | {"upgrades_db"}
    assert set(_SETTING.findall(PAGE)) - known == set()
