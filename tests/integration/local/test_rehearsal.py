"""`make demo FAULT=…`: each fault begins at its moment on a real agent, its end is compared, and all is put back."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from local.demo.demo import REQUEST
from local.demo.following import SETTLED, Snapshot
from local.demo.rehearsal import LABEL, Rehearsing, chosen, listed, put_back, request
from local.demo.rehearsals import REHEARSALS, Moment, Rehearsal
from local.demo.rest import Json, Rest
from local.errors import LocalError
from local.fleet.client import FleetAdmin
from tests.integration.fleet.running_agent import RunningAgent
from tests.shared_stack import ROOT

DEPLOYMENT = "/tenants/t/components/c"
ALL = pytest.mark.parametrize("name", REHEARSALS)


class Orchestrator(Rest):
    """The REST API of an upgrade of ten instances that ends as scripted, one status of the first batch a look."""

    def __init__(self, end: str, reason: str = "", warnings: tuple[str, ...] = (), active: Json | None = None) -> None:
        super().__init__("http://orchestrator", "token")
        self.end, self.reason, self.warnings, self.active = end, reason, list(warnings), active
        self.posted: list[str] = []
        self._looks = ["PENDING", "UPGRADING", "COMPLETED"]

    def get(self, path: str, params: Mapping[str, int] | None = None) -> Json:
        """What is read of the upgrade."""
        if path.endswith("/active"):
            if self.active is None:
                raise LocalError("GET: 404 NO_ACTIVE_UPGRADE")
            return self.active
        if path.endswith("/events"):
            settled = {"sequence": 9, "type": SETTLED, "data": {"status": self.end, "versions": {}, "fleetSeen": True}}
            over = len(self._looks) == 1 and (params or {}).get("after") != 9
            return {"items": [settled] if over else [], "nextCursor": None}
        if path.endswith("/instances"):
            return {"items": [self._row(number) for number in range(1, 11)]}
        running = len(self._looks) > 1
        status = "IN_PROGRESS" if running else self.end
        return {"status": status, "statusReason": self.reason, "warnings": self.warnings, "batchDelaySeconds": 0}

    def post(self, path: str, body: Mapping[str, object] | None = None) -> Json:
        """Commands."""
        self.posted.append(path)
        self.active = None
        return {}

    def _row(self, number: int) -> Json:
        batch = -(-number // 3)
        status = self._looks[0] if batch == 1 else "PENDING"
        if number == 10 and len(self._looks) > 1:
            self._looks.pop(0)
        return {"instanceId": f"demo-{number:02d}", "batch": batch, "status": status}


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FleetAdmin]:
    running = RunningAgent(tmp_path_factory.mktemp("fleets"))
    running.admin.create("demo", 10, "3.6.0", upgrade_seconds=0.05)
    yield running.admin
    running.close()


@pytest.fixture(autouse=True)
def fleet(agent: FleetAdmin, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("local.demo.following._POLL_SECONDS", 0.01)
    yield
    agent.reset("demo", "3.6.0", forget_fencing=True)


def rehearsing(agent: FleetAdmin, rest: Rest, rehearsal: Rehearsal) -> Rehearsing:
    return Rehearsing(rest, agent, "demo", DEPLOYMENT, rehearsal)


def state(agent: FleetAdmin) -> tuple[list[Json], list[str], int | None]:
    found = agent.fleet("demo")
    return agent.faults("demo"), [each["id"] for each in found["instances"]], found["highestFencingToken"]


@ALL
def test_fault_is_put_on_at_its_moment_and_put_back(agent: FleetAdmin, name: str) -> None:
    rehearsal, before = REHEARSALS[name], state(agent)
    drained = agent.transitions("demo")
    rest = Orchestrator(rehearsal.ends, f"token demo-01 demo-02 demo-07, {rehearsal.says}")
    work = rehearsing(agent, rest, rehearsal)
    assert work.run(lambda: "e-1")["status"] == rehearsal.ends
    assert state(agent) != before or agent.transitions("demo")[len(drained) :]
    assert not put_back(rest, agent, "demo", DEPLOYMENT)
    assert (agent.faults("demo"), rest.posted) == ([], [])


@pytest.mark.parametrize("name", ["absent", "stale-token"])
def test_other_end_than_the_expected_one_is_reported(agent: FleetAdmin, name: str) -> None:
    other = "FAILED" if REHEARSALS[name].ends == "COMPLETED" else "COMPLETED"
    with pytest.raises(LocalError, match=f"the upgrade is {other}, not {REHEARSALS[name].ends}"):
        rehearsing(agent, Orchestrator(other), REHEARSALS[name]).run(lambda: "e-1")


def test_end_that_does_not_name_the_instance_is_reported(agent: FleetAdmin) -> None:
    with pytest.raises(LocalError, match="neither the reason nor a warning says 'demo-07'"):
        rehearsing(agent, Orchestrator("COMPLETED", "demo-08"), REHEARSALS["remove"]).run(lambda: "e-1")
    agent.reset("demo", "3.6.0")
    warned = Orchestrator("COMPLETED", "done", ("demo-07 is gone",))
    assert rehearsing(agent, warned, REHEARSALS["remove"]).run(lambda: "e-1")["status"] == "COMPLETED"


def test_deployment_that_is_not_free_is_reported(agent: FleetAdmin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.demo.rehearsal._FREE_SECONDS", 0.1)
    with pytest.raises(LocalError, match="the deployment is not free"):
        rehearsing(agent, Orchestrator("FAILED", active={"id": "e-1"}), REHEARSALS["gone"]).run(lambda: "e-1")


def test_upgrade_that_ends_before_the_fault_is_reported(agent: FleetAdmin) -> None:
    rest = Orchestrator("FAILED", "no backup")
    rest._looks = ["PENDING"]
    with pytest.raises(LocalError, match="the upgrade is FAILED before the fault began: no backup"):
        rehearsing(agent, rest, REHEARSALS["gone"]).run(lambda: "e-1")


def test_interrupted_rehearsal_cancels_its_upgrade_and_switches_the_fault_off(agent: FleetAdmin) -> None:
    rest = Orchestrator("COMPLETED")

    def interrupt() -> str:
        rest.active = {"id": "e-1", "initiatedBy": LABEL}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rehearsing(agent, rest, REHEARSALS["spelling"]).run(interrupt)
    assert [each["kind"] for each in agent.faults("demo")] == ["spelling"]
    assert put_back(rest, agent, "demo", DEPLOYMENT)
    assert (agent.faults("demo"), rest.posted) == ([], ["/upgrades/e-1/cancel"])
    assert not put_back(rest, agent, "demo", DEPLOYMENT)


def test_upgrade_of_another_user_is_not_cancelled(agent: FleetAdmin) -> None:
    rest = Orchestrator("COMPLETED", active={"id": "e-2", "initiatedBy": "olga"})
    assert not put_back(rest, agent, "demo", DEPLOYMENT)
    assert rest.posted == []


def test_put_back_is_harmless_when_the_agent_is_away() -> None:
    with FleetAdmin("http://127.0.0.1:9", "token") as away:
        assert not put_back(Orchestrator("COMPLETED"), away, "demo", DEPLOYMENT)


@ALL
def test_request_of_a_rehearsal_is_the_demos_with_short_time_outs(name: str) -> None:
    body = request(REQUEST, REHEARSALS[name])
    assert (body["strategy"], body["componentId"], body["autoRollbackEnabled"]) == ("ROLLING", "aaa-111", False)
    assert body["healthCheckTimeoutSeconds"] <= 60
    assert ("totalInstances" in body) is (name != "non-ascii-id")


def test_help_lists_every_fault_with_a_line_and_its_end_and_starts_nothing(tmp_path: Path) -> None:
    lines = listed().splitlines()[1:]
    assert [each.split()[0] for each in lines] == list(REHEARSALS)
    environment = {"PYTHONPATH": str(ROOT), "FAULT": "help", "LOCAL_STATE": str(tmp_path / "state")}
    argv = [sys.executable, "-m", "local", "demo"]
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, listed()), done.stderr
    assert not (tmp_path / "state").exists()


def test_unknown_fault_is_refused_with_all_that_are_known() -> None:
    with pytest.raises(LocalError) as refused:
        chosen("nonsense")
    assert str(refused.value) == f"FAULT is 'nonsense', which is not known\n{listed()}"


@pytest.mark.parametrize(
    ("moment", "statuses", "come"),
    [
        (Moment.UPGRADING, ["DRAINING", "UPGRADING"], True),
        (Moment.UPGRADING, ["DRAINING", "COMPLETED"], False),
        (Moment.LATER, ["COMPLETED", "COMPLETED"], True),
        (Moment.LATER, ["COMPLETED", "HEALTH_CHECKING"], False),
        (Moment.BEFORE, ["PENDING"], False),
    ],
)
def test_moment_has_come_by_the_statuses_of_the_first_batch(moment: Moment, statuses: list[str], come: bool) -> None:
    rows = [{"batch": 1, "status": each} for each in statuses] + [{"batch": 2, "status": "PENDING"}]
    assert moment.has_come(Snapshot({}, rows, [], 0.0)) is come
