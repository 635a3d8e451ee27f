"""Airflow as a test scripts it: the ports to it show what the test sets, and record what they were asked."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from upgrade_orchestrator.domain.airflow.stuck import AirflowSight
from upgrade_orchestrator.domain.airflow.task_states import RunView
from upgrade_orchestrator.domain.approval.approval import Answer
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.execution import dag_id_of
from upgrade_orchestrator.service.ports.airflow import HumanTask


class AskedParses:
    """Port ParseRequests without Airflow: records the requests."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, execution_id: str) -> None:
        self.asked.append(execution_id)


class ScriptedRuns:
    """Port AirflowRuns without Airflow: shows the runs that the test sets, by DAG id."""

    def __init__(self) -> None:
        self.runs: dict[str, RunView] = {}
        self.unpaused: list[str] = []
        self.paused: list[str] = []
        self.ended: list[list[str]] = []
        self.away = False
        self.sight = AirflowSight()
        self.looks = 0

    async def look(self, dag_ids: Sequence[str]) -> AirflowSight:
        self._answer()
        self.looks += 1
        return self.sight

    def show(self, execution_id: str, run: RunView) -> None:
        """Set what Airflow shows of the execution's run from now on."""
        self.runs[dag_id_of(execution_id)] = run

    async def read(self, dag_ids: Sequence[str], with_tasks: bool = False) -> dict[str, RunView]:
        self._answer()
        return {each: self.runs[each] for each in dag_ids if each in self.runs}

    async def retry_lost_tasks(self, seconds: float) -> list[str]:
        self._answer()
        return []

    async def mark_succeeded(self, task_ids: Collection[str]) -> None:
        self._answer()
        self.ended.append(sorted(task_ids))

    async def pause(self, dag_id: str) -> None:
        self._answer()
        if dag_id in self.runs and not self.runs[dag_id].paused:
            self.paused.append(dag_id)
            self.runs[dag_id] = replace(self.runs[dag_id], paused=True)

    async def unpause(self, dag_id: str) -> None:
        self._answer()
        if dag_id in self.runs and self.runs[dag_id].paused:
            self.unpaused.append(dag_id)
            self.runs[dag_id] = replace(self.runs[dag_id], paused=False)

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("no Airflow at the moment")


class ScriptedPeople:
    """Port HumanTasks without Airflow: who may approve, and which tasks wait for people."""

    def __init__(self) -> None:
        self.approvers: set[str] = set()
        self.waits: list[HumanTask] = []
        self.released: list[tuple[HumanTask, bool, str | None]] = []
        self.given: dict[HumanTask, Answer] = {}
        self.words: dict[HumanTask, str] = {}
        self.away = False

    async def may_approve(self, user_id: str, user_name: str) -> bool:
        self._answer()
        return user_name in self.approvers

    async def waiting(self, dag_id: str | None = None) -> list[HumanTask]:
        self._answer()
        return [each for each in self.waits if dag_id in (None, each.dag_id)]

    async def answers(self, tasks: Sequence[HumanTask]) -> dict[HumanTask, Answer]:
        self._answer()
        return {each: self.given[each] for each in tasks if each in self.given}

    async def ask_again(self, task: HumanTask, body: str) -> None:
        self._answer()
        self.given.pop(task, None)
        self.words[task] = body

    async def release(self, task: HumanTask, approved: bool, by: str | None) -> bool:
        self._answer()
        if task not in self.waits:
            return False
        self.waits.remove(task)
        self.released.append((task, approved, by))
        return True

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("no Airflow at the moment")
