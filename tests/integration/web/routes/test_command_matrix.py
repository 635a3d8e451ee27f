"""Every command in every status over REST (specification section 3): it works where allowed, else 409 without effect.

And what "cancel > rollback > pause > promote" means where each command is one transaction under the execution's lock:
commands that arrive together are carried out one after the other, in the order in which they get the lock. So there
is no queue to sort; precedence follows from which command is accepted *after* which:

- a stronger command is taken after a weaker one (cancel from anywhere, rollback from PAUSED and after a promotion,
  pause after a promotion), and so it has the last word;
- a weaker command after a stronger one is refused (409), and so it undoes nothing.

Whatever the order, the end is what the strongest *accepted* command wants, and the strongest that the status at the
outset takes is among the accepted. A pause that arrives in CANARY_MONITORING is not accepted there (section 3): it is
refused if it comes before the promotion, and wins if it comes after it.
"""

import asyncio
from collections.abc import Sequence
from itertools import combinations_with_replacement, pairwise, permutations, product

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import Match

from tests.integration.web.authentication import Authentication
from tests.integration.web.statuses import Standing, standing
from tests.integration.world import World
from upgrade_orchestrator.domain.execution.commands import ALLOWED_FROM, Command
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.operations.permissions import Permission

S, C = ExecutionStatus, Command

CALL = {
    C.START: "start",
    C.PAUSE: "pause",
    C.RESUME: "resume",
    C.CANCEL: "cancel",
    C.PROMOTE: "promote-canary",
    C.ROLLBACK: "rollback",
    C.APPROVE: "stages/2/approve",
    C.REJECT: "stages/2/reject",
    C.RETRY: "retry",
    C.REVERT: "revert",
    C.RELEASE: "release",
}
ANSWERED = {
    C.START: (202, S.VALIDATING),
    C.ROLLBACK: (202, S.ROLLING_BACK),
    C.RETRY: (201, S.PENDING),
    C.REVERT: (201, S.PENDING),
} | {
    C.PAUSE: (200, S.PAUSED),
    C.RESUME: (200, S.IN_PROGRESS),
    C.CANCEL: (200, S.CANCELLED),
    C.PROMOTE: (200, S.IN_PROGRESS),
    C.APPROVE: (200, S.IN_PROGRESS),
    C.REJECT: (200, S.CANCELLED),
    C.RELEASE: (200, None),
}
"The answer's code, and the status in it (None: as before); of a retry and a revert it is the new execution's."

STRATEGY = {C.PROMOTE: "CANARY", C.APPROVE: "STAGED", C.REJECT: "STAGED"}
RANKED = (C.CANCEL, C.ROLLBACK, C.PAUSE, C.PROMOTE)
"Strongest first."


def test_every_command_has_an_api_call(app: FastAPI) -> None:
    assert set(CALL) == set(ANSWERED) == set(Command)
    for path in CALL.values():
        scope = {"type": "http", "method": "POST", "path": f"/upgrades/e-1/{path}"}
        assert any(route.matches(scope)[0] is Match.FULL for route in app.routes), path


async def call(api: httpx.AsyncClient, command: Command, execution_id: str, **query: str) -> httpx.Response:
    """As its caller does: the stages' decisions have a body."""
    body = {"reason": "seen"} if command in (C.APPROVE, C.REJECT, C.REVERT, C.RELEASE) else None
    return await api.post(f"/upgrades/{execution_id}/{CALL[command]}", json=body, params=query)


@pytest.mark.parametrize("command", Command)
async def test_command_is_accepted_in_its_statuses_and_changes_nothing_in_others(
    api: httpx.AsyncClient, world: World, authentication: Authentication, command: Command
) -> None:
    execution = await standing(api, world, STRATEGY.get(command, "ROLLING"))
    api.headers.update(authentication.admit("bob", Permission))  # four eyes: not who created it
    for status in S:
        await execution.go(status, settled=command is not C.RELEASE)
        if command is C.REVERT:  # as if each instance had run another version before
            world.connection.execute(
                "UPDATE instance SET from_version = '3.5.9' WHERE execution_id = %s", (execution.id,)
            )
        before, since = execution.snapshot(), execution.last_sequence()
        response = await call(api, command, execution.id)
        body = response.json()
        if status in ALLOWED_FROM[command]:
            code, becomes = ANSWERED[command]
            assert (response.status_code, body.get("status")) == (code, becomes or status), (status, response.text)
            assert execution.status() is (status if command in (C.RETRY, C.REVERT) else becomes or status)
            assert _received(execution, since) == [command.value], status
        else:
            assert (response.status_code, body["status"], body["code"]) == (409, 409, "INVALID_STATE"), status
            assert body["currentStatus"] == status.value
            assert body["allowedFrom"] == [each.value for each in S if each in ALLOWED_FROM[command]]
            assert execution.snapshot() == before, status


def _received(execution: Standing, since: int) -> list[str]:
    """The commands in the events after ``since``; each must be in the audit as well."""
    events = [data["command"] for _, what, data in execution.events(since) if what == "command-received"]
    query = "SELECT command FROM command WHERE actor = 'bob' ORDER BY created_at DESC LIMIT %s"
    audit = [row[0] for row in execution.world.connection.execute(query, (len(events),))]
    assert audit == events[::-1]
    return events


async def test_resume_returns_to_the_canary_status_in_which_the_pause_began(
    api: httpx.AsyncClient, world: World
) -> None:
    execution = await standing(api, world, "CANARY")
    await execution.go(S.CANARY_RUNNING)
    assert (await call(api, C.PAUSE, execution.id)).json()["status"] == "PAUSED"
    assert (await call(api, C.RESUME, execution.id)).json()["status"] == "CANARY_RUNNING"


STEERED = (S.IN_PROGRESS, S.CANARY_RUNNING, S.CANARY_MONITORING, S.PAUSED, S.ROLLING_BACK)
"Where more than one of the ranked commands can have a meaning."


ORDERS = {RANKED, *(order[: order.index(C.CANCEL) + 1] for order in permutations(RANKED))}
"Up to the cancel, save in one: nothing is taken after it. A shorter order is the beginning of one of these."


@pytest.mark.parametrize("status", STEERED)
async def test_precedence_of_two_commands_holds_in_either_order(
    api: httpx.AsyncClient, world: World, status: ExecutionStatus
) -> None:
    execution = await standing(api, world, "CANARY")
    for order in sorted(ORDERS):
        await execution.go(status)
        since = execution.last_sequence()
        accepted = list[Command]()
        for number, command in enumerate(order, start=1):
            accepted += [command] * await _accepted(api, execution, command)
            assert_strongest_is_taken(status, order[:number], accepted)
        assert _carried_out(execution, status, order, since) == accepted


@pytest.mark.parametrize("status", STEERED)
async def test_precedence_of_two_concurrent_commands_holds(
    api: httpx.AsyncClient, world: World, status: ExecutionStatus
) -> None:
    execution = await standing(api, world, "CANARY")
    both_at_once = [(pair, 0.0) for pair in combinations_with_replacement(RANKED, 2)]
    one_later = [(pair, 0.02) for pair in product(RANKED, repeat=2)]
    for order, head_start in both_at_once + one_later:
        await execution.go(status)
        since = execution.last_sequence()
        answers = await asyncio.gather(
            _at_once(api, execution, order[0], 0), _at_once(api, execution, order[1], head_start)
        )
        accepted = [each for each, yes in zip(order, answers, strict=True) if yes]
        assert sorted(_carried_out(execution, status, order, since)) == sorted(accepted)


async def _at_once(api: httpx.AsyncClient, execution: Standing, command: Command, delay: float) -> bool:
    """After ``delay`` seconds, so that either can be first: a promotion reads before it takes the lock."""
    await asyncio.sleep(delay)
    query = {"force": "true"} if command is C.PROMOTE else {}
    return await _accepted(api, execution, command, **query)


async def _accepted(api: httpx.AsyncClient, execution: Standing, command: Command, **query: str) -> bool:
    response = await call(api, command, execution.id, **query)
    if not response.is_success:
        assert (response.status_code, response.json()["code"]) == (409, "INVALID_STATE"), response.text
    return response.is_success


def assert_strongest_is_taken(begin: ExecutionStatus, order: Sequence[Command], taken: Sequence[Command]) -> None:
    """Of those that the status at the outset takes."""
    wanted = [each for each in RANKED if each in order and begin in ALLOWED_FROM[each]]
    assert not wanted or wanted[0] in taken, f"{order}: the strongest was refused"


def _carried_out(execution: Standing, begin: ExecutionStatus, order: Sequence[Command], since: int) -> list[Command]:
    """The commands in the order in which they were carried out, after a look whether that one keeps the precedence."""
    events = execution.events(since)
    done = [Command(data["command"]) for _, what, data in events if what == "command-received"]
    steps = [(data["from"], data["to"]) for _, what, data in events if what == "status-changed"]
    ranks = [RANKED.index(each) for each in done]
    assert all(later < earlier for earlier, later in pairwise(ranks)), f"{order}: a weaker one was carried out later"
    assert_strongest_is_taken(begin, order, done)
    assert execution.status() is ((ANSWERED[done[-1]][1] or begin) if done else begin), order
    assert [begin.value, *(to for _, to in steps)] == [*(origin for origin, _ in steps), execution.status()]
    return done
