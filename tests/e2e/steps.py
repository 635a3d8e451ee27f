"""The steps of end-to-end tests: over HTTP, as a user takes them, and into the fleet's own log."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from local.fleet.client import FleetAdmin

COMPONENT, OLD, NEW = "aaa-111", "bbb-222", "ccc-333"
TERMINAL = {"COMPLETED", "FAILED", "CANCELLED", "ROLLED_BACK"}
RED = {"FAILED", "ROLLED_BACK"}
"Whose DAG run fails."
DEADLINE_SECONDS = 150.0
_SOON_SECONDS, _LATE_SECONDS, _LONGER = 0.1, 2.0, 1.4
"Seconds between two looks at first and at last, and the growth: such looks were half of the server's requests."

Json = dict[str, Any]
T = TypeVar("T")


def wait_for(
    what: str, look: Callable[[], T | None], seconds: float = DEADLINE_SECONDS, most_between: float = _LATE_SECONDS
) -> T:
    """The first result of `look` that is neither None nor False; fails naming `what`."""
    deadline, gap = time.monotonic() + seconds, _SOON_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, f"after {seconds:.0f} s still waiting for: {what}"
        time.sleep(gap)
        gap = min(gap * _LONGER, most_between)
    return found


@dataclass(frozen=True)
class Tenant:
    """A tenant with a fleet of its own; `api` and `airflow` are clients of the admin user."""

    id: str
    fleet: str
    size: int
    api: httpx.Client
    airflow: httpx.Client
    agent: FleetAdmin

    def body(self, **changed: Any) -> Json:
        """A request that is accepted: no delay between batches, everything else as in the seed."""
        usual = {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW, "batchDelaySeconds": 0}
        installed = {"kafka": "3.6.0", "postgresql": "16.1"}
        quick = {"healthCheckIntervalSeconds": 1, "healthCheckTimeoutSeconds": 60}
        return usual | quick | {"installedComponents": installed} | changed

    def create(self, **changed: Any) -> str:
        """The id of a new execution."""
        answer = self.api.post(f"/tenants/{self.id}/upgrades", json=self.body(**changed))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def start(self, **changed: Any) -> str:
        """The id of an execution that was created and started."""
        execution_id = self.create(**changed)
        answer = self.api.post(f"/upgrades/{execution_id}/start")
        assert (answer.status_code, answer.json()["status"]) == (202, "VALIDATING"), answer.text
        return execution_id

    def execution(self, execution_id: str) -> Json:
        """The execution as GET returns it."""
        return got(self.api, f"/upgrades/{execution_id}")

    def instances(self, execution_id: str) -> list[Json]:
        """All instances (the tests' fleets are small)."""
        items: list[Json] = got(self.api, f"/upgrades/{execution_id}/instances", limit=200)["items"]
        return items

    def events(self, execution_id: str) -> list[Json]:
        """All events, page by page."""
        found: list[Json] = []
        while True:
            after = found[-1]["sequence"] if found else 0
            page = got(self.api, f"/upgrades/{execution_id}/events", after=after, limit=200)
            found += page["items"]
            if page["nextCursor"] is None:
                return found

    def deployment(self) -> Json:
        """The deployment: where the instances are and what they run."""
        return got(self.api, f"/tenants/{self.id}/components/{COMPONENT}/deployment")

    def wait_until(self, execution_id: str, *wanted: str) -> Json:
        """The execution, once it has one of the wanted statuses; fails at once when it ends in another."""

        def look() -> Json | None:
            execution = self.execution(execution_id)
            status = execution["status"]
            assert status in wanted or status not in TERMINAL, f"{status}: {execution['statusReason']}"
            return execution if status in wanted else None

        return wait_for(f"{execution_id} to be {' or '.join(wanted)}", look)

    def wait_upgrading(self) -> None:
        """An instance is being upgraded, according to the fleet's agent."""
        what = f"an instance of {self.fleet} to be UPGRADING"
        wait_for(what, lambda: "UPGRADING" in self.agent_statuses(), most_between=_SOON_SECONDS)

    def agent_statuses(self) -> list[str]:
        """The instances as the agent shows them."""
        return [each["status"] for each in self.agent.fleet(self.fleet)["instances"]]

    def versions(self) -> Counter[str]:
        """How many healthy instances run each version, according to the agent."""
        return Counter(each["version"] for each in self.agent.fleet(self.fleet)["instances"] if each["healthy"])

    def upgraded(self) -> Counter[str]:
        """How often each instance was given a version, by the fleet's log."""
        return Counter(each["instance"] for each in self.agent.transitions(self.fleet) if each["to"] == "UPGRADING")

    def each_once(self) -> Counter[str]:
        """The value of `upgraded` when nothing was done twice and nothing left out."""
        return Counter([each["id"] for each in self.agent.fleet(self.fleet)["instances"]])

    def most_unavailable(self) -> int:
        """The most instances that were unavailable at any one time, by the fleet's log."""
        return max(int(line["unavailable"]) for line in self.agent.log(self.fleet))

    def dag_run(self, execution_id: str) -> Json:
        """The one run of the execution's DAG, once it has ended."""
        path = f"/dags/upgrade__{execution_id}/dagRuns"

        def look() -> Json | None:
            runs: list[Json] = got(self.airflow, path)["dag_runs"]
            return runs[0] if len(runs) == 1 and runs[0]["state"] in ("success", "failed") else None

        return wait_for(f"the one DAG run of {execution_id} to end", look)

    def task_states(self, execution_id: str) -> dict[str, str]:
        """The state of each task of the DAG run in Airflow; empty before Airflow has the DAG."""
        answer = self.airflow.get(f"/dags/upgrade__{execution_id}/dagRuns/~/taskInstances")
        assert answer.status_code in (200, 404), answer.text
        return {each["task_id"]: each["state"] for each in answer.json().get("task_instances", [])}


def got(client: httpx.Client, path: str, **params: Any) -> Json:
    """The body of a GET that succeeds."""
    answer = client.get(path, params=params)
    assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
    body: Json = answer.json()
    return body


def statuses(events: list[Json]) -> list[str]:
    """The statuses in the events, in their order."""
    return [each["data"]["to"] for each in events if each["type"] == "registry.upgrade.status-changed.v1"]


def reason_of(execution: Json) -> str:
    """Why it ended, without the final count that the settlement adds some moments later."""
    return str(execution["statusReason"]).partition("; in the end ")[0]
