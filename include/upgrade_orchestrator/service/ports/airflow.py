"""What the use cases need of Airflow itself, beside the run of their own task; there in the API server only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from upgrade_orchestrator.domain.airflow.task_states import RunView
from upgrade_orchestrator.domain.approval.approval import Answer
from upgrade_orchestrator.domain.events.notifications import Notice


class AirflowRuns(Protocol):
    """The DAGs of the executions and their runs, as Airflow has them."""

    async def read(self, dag_ids: Sequence[str], with_tasks: bool = False) -> Mapping[str, RunView]:
        """The first run of each DAG that Airflow knows, ``with_tasks`` with the states of its tasks.

        :raises Unavailable: Airflow's database does not answer.
        """

    async def begin_lost_again(self, seconds: float) -> Sequence[str]:
        """Give a new try to every task of ours that no worker has begun for ``seconds``, where Airflow does not do so.

        The names of those tasks.

        :raises Unavailable: Airflow's database does not answer.
        """

    async def end_well(self, task_ids: Collection[str]) -> None:
        """Mark as succeeded those of our task instances of these ids that still are in the triggerer.

        :raises Unavailable: Airflow's database does not answer.
        """

    async def unpause(self, dag_id: str) -> None:
        """Let the DAG's tasks go on; nothing happens where there is no such DAG.

        :raises Unavailable: Airflow's database does not answer.
        """


@dataclass(frozen=True, slots=True)
class HumanTask:
    """A task of an execution's DAG that waits for a person's answer."""

    dag_id: str
    task_id: str


class HumanTasks(Protocol):
    """The tasks that ask people in the Airflow UI, and the people."""

    async def may_approve(self, user_id: str, user_name: str) -> bool:
        """Whether the auth manager grants that user of Airflow to approve stages.

        :raises Unavailable: Airflow's database does not answer.
        """

    async def waiting(self, dag_id: str | None = None) -> Sequence[HumanTask]:
        """What waits now, of all executions or of one DAG.

        :raises Unavailable: Airflow's database does not answer.
        """

    async def answers(self, tasks: Sequence[HumanTask]) -> Mapping[HumanTask, Answer]:
        """What people have answered to those of ``tasks`` that are answered.

        :raises Unavailable: Airflow's database does not answer.
        """

    async def ask_again(self, task: HumanTask, body: str) -> None:
        """Take its answer back and put the question in other words (Markdown), which a task cannot do itself.

        :raises Unavailable: Airflow's database does not answer.
        """

    async def release(self, task: HumanTask, approved: bool, by: str | None) -> bool:
        """Answer it in the name of ``by`` (None: nobody), so that it goes on; False when it does not wait any more.

        :raises Unavailable: Airflow's database does not answer.
        """


class Notices(Protocol):
    """Takes over what people are to be told."""

    def are_wanted(self) -> bool:
        """Whether anybody is to be told of anything."""

    async def hand_over(self, notice: Notice) -> None:
        """It will be sent, at least once; handed over again nothing happens.

        :raises Unavailable: Airflow cannot take it now.
        """


class ParseRequests(Protocol):
    """Asks Airflow to read an execution's dag file now."""

    async def ask(self, execution_id: str) -> None:
        """Best effort, and never fails: who leads the control loops asks again until Airflow has the DAG."""
