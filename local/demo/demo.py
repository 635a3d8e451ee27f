"""`make demo`: an upgrade of the demo fleet from create to COMPLETED, then a health check of every process (section
12).
"""

import os
import signal
import sys
from typing import Any

import httpx
from rich.console import Console

from local.airflow.settings import ADMIN
from local.demo.following import Snapshot, follow
from local.demo.progress import view_on
from local.demo.rehearsal import HELP, Rehearsing, chosen, listed, put_back
from local.demo.rehearsal import request as rehearsal_request
from local.demo.rehearsals import Rehearsal
from local.demo.rest import BASE, Json, Rest
from local.demo.seed import Seed
from local.errors import LocalError
from local.fleet.client import FleetAdmin
from local.ports import HOST
from local.stack.stack import Stack

REQUEST: Json = {
    "componentId": "aaa-111",
    "fromVersionId": "bbb-222",
    "toVersionId": "ccc-333",
    "strategy": "CANARY",
    "canaryPercentage": 10,
    "batchSize": 5,
    "batchDelaySeconds": 60,
    "healthCheckIntervalSeconds": 30,
    "healthCheckTimeoutSeconds": 300,
    "maxUnavailablePercentage": 25,
    "totalInstances": 20,
    "autoRollbackEnabled": True,
    "failureThreshold": 3,
    "initiatedBy": "make demo",
    "installedComponents": {"kafka": "3.6.0", "postgresql": "16.1"},
}
SHORTENED = {"batchDelaySeconds": 2, "healthCheckIntervalSeconds": 1, "healthCheckTimeoutSeconds": 60}


def main(stack: Stack) -> int:
    """Run it; 0 only when the upgrade is COMPLETED and every process answers at the new version, or with FAULT when it
    ends as expected.

    :raises LocalError: it cannot be run, or one of the two is not so.
    """
    fault = os.environ.get("FAULT", "")
    if fault == HELP:
        print(listed())
        return 0
    rehearsal = chosen(fault) if fault else None
    print("starting the stack if it is not up, and resetting the demo fleet", file=sys.stderr)
    stack.up()
    rest = Rest(f"http://{HOST}:{stack.port}", stack.token())
    if _is_put_back(stack, rest):  # a rehearsal was killed
        stack.up()  # its seed resets fleet and deployment
    if rehearsal is not None:
        return _rehearse(stack, rest, rehearsal)
    execution_id = _start(rest, request(dict(os.environ)))
    try:
        last = _watch(rest, execution_id)
    except KeyboardInterrupt:
        signal.setitimer(signal.ITIMER_REAL, 0)  # see local.__main__
        print(f"\ninterrupted; the upgrade goes on: {stack.url}{BASE}/upgrades/{execution_id}", file=sys.stderr)
        return 130
    _say_where(stack, last.execution)
    _require_completed(last.execution)
    print(_verified(stack))
    return 0


def request(variables: dict[str, str]) -> Json:
    """The seed's request, with delays of seconds unless DEMO=full.

    :raises LocalError: DEMO is something else.
    """
    chosen = variables.get("DEMO", "")
    if chosen not in ("", "full"):
        raise LocalError(f"DEMO is {chosen!r}: only DEMO=full is known (the seed's own delays)")
    return REQUEST if chosen else REQUEST | SHORTENED


def _rehearse(stack: Stack, rest: Rest, rehearsal: Rehearsal) -> int:
    """The upgrade with a fault; afterwards, also when interrupted, fleet and deployment are as before."""
    seed, body = Seed.read(), rehearsal_request(REQUEST, rehearsal)
    with _agent(stack) as agent:
        try:
            rehearsing = Rehearsing(rest, agent, seed.fleet["name"], _deployment(seed), rehearsal)
            last = rehearsing.run(lambda: _start(rest, body))
            _say_where(stack, last)
            print(f"as expected: {last['status']}")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)  # see local.__main__
            print("switching the fault off, and resetting the demo fleet", file=sys.stderr)
            _is_put_back(stack, rest)
            stack.up()
    return 0


def _is_put_back(stack: Stack, rest: Rest) -> bool:
    """Switch all faults off and end the upgrade of a rehearsal; whether there was one."""
    seed = Seed.read()
    with _agent(stack) as agent:
        return put_back(rest, agent, seed.fleet["name"], _deployment(seed))


def _deployment(seed: Seed) -> str:
    return f"/tenants/{seed.deployment['tenantId']}/components/{seed.deployment['componentId']}"


def _agent(stack: Stack) -> FleetAdmin:
    return FleetAdmin(f"http://{HOST}:{stack.ports.agent}", stack.credentials().agent_token)


def _start(rest: Rest, body: Json) -> str:
    tenant = Seed.read().deployment["tenantId"]
    execution_id: str = rest.post(f"/tenants/{tenant}/upgrades", body)["id"]
    rest.post(f"/upgrades/{execution_id}/start")
    return execution_id


def _watch(rest: Rest, execution_id: str) -> Snapshot:
    snapshot = None
    with view_on(Console()) as view:
        for snapshot in follow(rest, execution_id):
            view.show(snapshot)
            if _is_promotable(snapshot.execution):
                rest.post(f"/upgrades/{execution_id}/promote-canary?reason=the+canaries+are+healthy")
    assert snapshot is not None  # `follow` yields at least one
    return snapshot


def _is_promotable(execution: Json) -> bool:
    """Whether the monitor has found the canaries healthy: here the demonstration promotes them, otherwise a person
    does.
    """
    return execution["status"] == "CANARY_MONITORING" and execution["canary"]["healthy"] is True


def _say_where(stack: Stack, execution: Json) -> None:
    print(f"\n{execution['status']}: {execution['statusReason']}")
    print(f"  Airflow   {stack.url}{execution['dagRunUrl']}")
    print(f"  REST      {stack.url}{execution['links']['self']} (TOKEN=$(make -s token))")
    print(f"  user      {ADMIN}, password in {stack.layout.secrets / 'admin_password'}")


def _require_completed(execution: Json) -> None:
    if execution["status"] != "COMPLETED":
        raise LocalError(f"the upgrade is {execution['status']}, not COMPLETED: {execution['statusReason']}")


def _verified(stack: Stack) -> str:
    """Ask every instance for its health through the agent, which asks its process.

    :raises LocalError: not all of them answer healthy at the new version.
    """
    seed = Seed.read()
    wanted, fleet = _version(seed, REQUEST["toVersionId"]), seed.fleet["name"]
    try:
        with _agent(stack) as agent:
            answers = {each["id"]: _ask(agent, fleet, each["id"]) for each in agent.fleet(fleet)["instances"]}
    except httpx.HTTPError as error:
        raise LocalError(f"the demo fleet's agent does not answer: {error}") from None
    wrong = [name for name, said in answers.items() if said != {"healthy": True, "version": wanted}]
    if wrong or len(answers) != seed.fleet["size"]:
        raise LocalError(f"not healthy at {wanted}: {', '.join(wrong) or 'instances are missing'}")
    return f"verified: all {len(answers)} processes of the fleet answer, healthy at {wanted}"


def _version(seed: Seed, version_id: str) -> str:
    known = {each["id"]: each["version"] for each in seed.registry["versions"]}
    return str(known[version_id])


def _ask(agent: FleetAdmin, fleet: str, instance: str) -> dict[str, Any]:
    said = agent.http.get(f"/fleets/{fleet}/instances/{instance}/health").json()
    return {name: said.get(name) for name in ("healthy", "version")}
