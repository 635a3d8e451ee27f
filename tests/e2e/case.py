"""One upgrade of one strategy, and what a person does in between: promote the canaries, approve the next stage."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.e2e.steps import COMPONENT, RED, Json, Tenant, statuses, wait_for

STRATEGIES: dict[str, dict[str, Any]] = {
    "ROLLING": {"batchSize": 2},
    "CANARY": {"batchSize": 2, "canaryPercentage": 50},
    "BLUE_GREEN": {"soakSeconds": 1},
    "RECREATE": {},
    "STAGED": {"batchSize": 2, "stagePercentages": [50, 100]},
}
WITH_BUDGET = ("ROLLING", "CANARY", "STAGED")
SIZE, BUDGET = 4, 2


@dataclass(frozen=True)
class Case:
    """One upgrade of one strategy; `approver` is another user than the admin who creates it."""

    strategy: str
    tenant: Tenant
    approver: httpx.Client

    def start(self, **changed: Any) -> str:
        """Started, with at most half of the instances at once."""
        usual = {"strategy": self.strategy, "maxUnavailablePercentage": 50} | STRATEGIES[self.strategy]
        return self.tenant.start(**(usual | changed))

    def command(self, execution_id: str, name: str, **params: str) -> Json:
        """Give a command that is accepted."""
        answer = self.tenant.api.post(f"/upgrades/{execution_id}/{name}", params=params)
        assert answer.status_code in (200, 202), answer.text
        body: Json = answer.json()
        return body

    def let_go_on(self, execution_id: str) -> None:
        """Do what a person has to do in between: promote the canaries, approve the second stage."""
        if self.strategy == "CANARY":
            self.wait(execution_id, "healthy canaries", lambda now: now["canary"]["healthy"])
            assert self.command(execution_id, "promote-canary")["status"] == "IN_PROGRESS"
        if self.strategy == "STAGED":
            self.wait(execution_id, "the second stage to wait", lambda now: now["awaitingApproval"])
            answer = self.approver.post(f"/upgrades/{execution_id}/stages/2/approve", json={"reason": "looks well"})
            assert answer.status_code == 200, answer.text

    def wait(self, execution_id: str, what: str, look: Callable[[Json], Any]) -> Any:
        """Wait until the execution shows it."""
        return wait_for(what, lambda: look(self.tenant.execution(execution_id)))

    def check_end(self, execution_id: str, status: str) -> Json:
        """Check the end in every view: execution, DAG run, events, budget; and the active slot is free again."""
        execution = self.tenant.wait_until(execution_id, status)
        run = self.tenant.dag_run(execution_id)
        assert run["state"] == ("failed" if status in RED else "success")
        events = self.tenant.events(execution_id)
        assert [each["sequence"] for each in events] == list(range(1, len(events) + 1))
        assert len({each["id"] for each in events}) == len(events)
        assert statuses(events)[-1] == status
        assert self.tenant.execution(execution_id)["progress"]["inFlight"] == 0
        if self.strategy in WITH_BUDGET:
            assert self.tenant.most_unavailable() <= BUDGET
        if self.strategy == "BLUE_GREEN":
            assert self.tenant.most_unavailable() == 0
        self._check_place_is_free(status)
        return execution

    def _check_place_is_free(self, status: str) -> None:
        """No execution is active; where there is still something to upgrade, another one is accepted."""
        active = self.tenant.api.get(f"/tenants/{self.tenant.id}/components/{COMPONENT}/upgrades/active")
        assert (active.status_code, active.json()["code"]) == (404, "NO_ACTIVE_UPGRADE")
        if status != "COMPLETED":
            self.tenant.create(strategy="ROLLING")

    def serving(self) -> Counter[str]:
        """Versions of the healthy instances that have the traffic, according to the agent."""
        fleet = self.tenant.agent.fleet(self.tenant.fleet)
        return Counter(
            each["version"] for each in fleet["instances"] if each["pool"] == fleet["traffic"] and each["healthy"]
        )

    def tries(self) -> Counter[str]:
        """How often each instance that serves now was given a version, by the fleet's log."""
        serving = {each["id"] for each in self.tenant.agent.fleet(self.tenant.fleet)["instances"]}
        return Counter({name: count for name, count in self.tenant.upgraded().items() if name in serving})

    def each_upgraded_once(self) -> bool:
        """Every instance that serves now was given a version once, by the fleet's log."""
        fleet = self.tenant.agent.fleet(self.tenant.fleet)
        return self.tenant.upgraded() == Counter(each["id"] for each in fleet["instances"])
