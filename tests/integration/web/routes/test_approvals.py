"""Approving and rejecting stages over REST: who may, when, and what the execution shows of it."""

from typing import Any

import httpx
import pytest

from tests.integration.web.authentication import Authentication
from tests.integration.web.statuses import Standing, standing
from tests.integration.world import World
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.operations.permissions import Permission

S = ExecutionStatus
DECISIONS = ("approve", "reject")


@pytest.fixture
async def waiting(api: httpx.AsyncClient, world: World) -> Standing:
    """Stage 2 of four waits; alice has created it."""
    execution = await standing(api, world, "STAGED")
    await execution.go(S.IN_PROGRESS)
    return execution


@pytest.fixture
def anna(authentication: Authentication) -> dict[str, str]:
    """An approver, who may do nothing else."""
    return authentication.admit("anna", {Permission.READ, Permission.APPROVE})


async def _decide(
    api: httpx.AsyncClient, execution: Standing, decision: str, headers: dict[str, str], stage: object = 2, **more: Any
) -> httpx.Response:
    path = f"/upgrades/{execution.id}/stages/{stage}/{decision}"
    return await api.post(path, headers=headers, **({"json": {"reason": "seen"}} | more))


async def _shown(api: httpx.AsyncClient, execution: Standing) -> Any:
    return (await api.get(f"/upgrades/{execution.id}")).json()["awaitingApproval"]


async def test_waiting_stage_is_shown_with_its_time_until_it_is_decided(
    api: httpx.AsyncClient, waiting: Standing, anna: dict[str, str]
) -> None:
    shown = await _shown(api, waiting)
    assert (shown["stage"], shown["since"][-1]) == (2, "Z")
    answer = await _decide(api, waiting, "approve", anna)
    assert (answer.status_code, answer.json()["status"], answer.json()["awaitingApproval"]) == (
        200,
        "IN_PROGRESS",
        None,
    )
    assert await _shown(api, waiting) is None


@pytest.mark.parametrize(("status", "there"), [(S.IN_PROGRESS, True), (S.PAUSED, True), (S.ROLLING_BACK, False)])
async def test_waiting_stage_is_shown_where_it_can_still_begin(
    api: httpx.AsyncClient, waiting: Standing, status: ExecutionStatus, there: bool
) -> None:
    await waiting.go(status)
    assert (await _shown(api, waiting) is not None) is there


@pytest.mark.parametrize("decision", DECISIONS)
async def test_decision_without_the_permission_to_approve_is_refused(
    api: httpx.AsyncClient, waiting: Standing, authentication: Authentication, decision: str
) -> None:
    operator = authentication.admit("otto", {Permission.READ, Permission.OPERATE, Permission.ADMINISTER})
    before = waiting.snapshot()
    answer = await _decide(api, waiting, decision, operator)
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    assert waiting.snapshot() == before


async def test_creator_may_not_approve_but_may_reject(api: httpx.AsyncClient, waiting: Standing) -> None:
    before = waiting.snapshot()
    refused = await _decide(api, waiting, "approve", {})
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    assert "four eyes" in refused.json()["detail"]
    assert waiting.snapshot() == before
    assert (await _decide(api, waiting, "reject", {})).json()["status"] == "CANCELLED"


async def test_rejection_records_its_actor_and_its_reason(
    api: httpx.AsyncClient, waiting: Standing, anna: dict[str, str]
) -> None:
    answer = await _decide(api, waiting, "reject", anna)
    assert (answer.status_code, answer.json()["status"]) == (200, "CANCELLED")
    assert answer.json()["statusReason"].startswith("stage 2 rejected by anna: seen; ")


@pytest.mark.parametrize("decision", DECISIONS)
async def test_decision_on_another_stage_is_409_and_names_the_waiting_one(
    api: httpx.AsyncClient, waiting: Standing, anna: dict[str, str], decision: str
) -> None:
    answer = await _decide(api, waiting, decision, anna, stage=3)
    assert (answer.status_code, answer.json()["code"]) == (409, "INVALID_STATE")
    assert "stage 2 waits" in answer.json()["detail"]
    assert (answer.json()["currentStatus"], answer.json()["allowedFrom"]) == ("IN_PROGRESS", ["IN_PROGRESS"])


async def test_repeated_decision_is_409_and_changes_nothing(
    api: httpx.AsyncClient, waiting: Standing, anna: dict[str, str]
) -> None:
    assert (await _decide(api, waiting, "approve", anna)).status_code == 200
    before = waiting.snapshot()
    assert (await _decide(api, waiting, "approve", anna)).status_code == 409
    assert waiting.snapshot() == before


@pytest.mark.parametrize("stage", [5, 0, -1, "two", 10_001, 2**63])
async def test_decision_on_an_unknown_stage_is_404(
    api: httpx.AsyncClient, waiting: Standing, anna: dict[str, str], stage: object
) -> None:
    answer = await _decide(api, waiting, "approve", anna, stage=stage)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("strategy", ["ROLLING", "CANARY", "BLUE_GREEN", "RECREATE"])
async def test_decision_on_a_stage_of_another_strategy_is_404(
    api: httpx.AsyncClient, world: World, anna: dict[str, str], strategy: str
) -> None:
    execution = await standing(api, world, strategy)
    await execution.go(S.IN_PROGRESS)
    assert (await _decide(api, execution, "approve", anna, stage=1)).status_code == 404
    assert await _shown(api, execution) is None


async def test_unknown_execution_is_404(api: httpx.AsyncClient, anna: dict[str, str]) -> None:
    assert (await api.post("/upgrades/none/stages/2/approve", headers=anna)).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reasons": "typo"}, "reasons"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 1001}, "reason"),
        ({"reason": 7}, "reason"),
        ({"reason": "a\x00b"}, "reason"),
    ],
)
async def test_decision_with_an_invalid_body_is_422(
    api: httpx.AsyncClient, waiting: Standing, anna: dict[str, str], body: dict[str, Any], field: str
) -> None:
    answer = await _decide(api, waiting, "approve", anna, json=body)
    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (422, [field])
    assert await _shown(api, waiting) is not None


async def test_decision_without_a_reason_or_body_is_accepted(
    api: httpx.AsyncClient, waiting: Standing, anna: dict[str, str]
) -> None:
    assert (await _decide(api, waiting, "approve", anna, json=None)).status_code == 200
    await waiting.go(S.IN_PROGRESS)
    assert (await _decide(api, waiting, "approve", anna, json={})).status_code == 200


async def test_body_that_is_not_declared_to_be_json_is_415(
    api: httpx.AsyncClient, waiting: Standing, anna: dict[str, str]
) -> None:
    answer = await _decide(api, waiting, "approve", anna, json=None, content=b'{"reason": "seen"}')
    assert answer.status_code == 415


async def test_approval_with_blockers_is_422_naming_them_and_the_stage_keeps_waiting(
    api: httpx.AsyncClient, world: World, waiting: Standing, anna: dict[str, str]
) -> None:
    with world.connect() as connection:
        connection.execute("""UPDATE upgrade_path SET blockers = '["loses data"]'""")
    answer = await _decide(api, waiting, "approve", anna)
    assert (answer.status_code, answer.json()["code"]) == (422, "UPGRADE_BLOCKED")
    assert "closed: loses data" in answer.json()["blockers"][0]
    assert await _shown(api, waiting) is not None


# fault 48
async def test_approval_of_a_target_that_is_eol_by_now_is_200_with_a_warning(
    api: httpx.AsyncClient, world: World, waiting: Standing, anna: dict[str, str]
) -> None:
    with world.connect() as connection:
        connection.execute("UPDATE component_version SET status = 'EOL' WHERE id = 'ccc-333'")
    answer = await _decide(api, waiting, "approve", anna)
    assert (answer.status_code, answer.json()["warnings"][-1][:24]) == (200, "version 3.7.0 is EOL, on")
    assert (await api.get(f"/upgrades/{waiting.id}")).json()["warnings"] == answer.json()["warnings"]
