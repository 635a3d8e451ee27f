"""Ports to Airflow's own database and UI; implemented in the API server only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from upgrade_orchestrator.domain.airflow.task_states import RunView
from upgrade_orchestrator.domain.approval.approval import Answer
from upgrade_orchestrator.domain.events.notifications import Notice

if TYPE_CHECKING:  # a task imports this module, and has no use for what only control loops do
    from upgrade_orchestrator.domain.airflow.stuck import AirflowSight


class AirflowRuns(Protocol):
    """The DAGs of the executions and their runs in Airflow."""

    async def read(self, dag_ids: Sequence[str], with_tasks: bool = False) -> Mapping[str, RunView]:
        """The first run of each DAG that Airflow knows; ``with_tasks``: including the states of its tasks.

        :raises Unavailable: Airflow's database does not respond.
        """

    async def look(self, dag_ids: Sequence[str]) -> AirflowSight:
        """What Airflow's components and the unfinished tasks of these DAGs' first runs are doing.

        :raises Unavailable: Airflow's database does not respond.
        """

    async def retry_lost_tasks(self, seconds: float) -> Sequence[str]:
        """Give a new try to every task of the product that has been queued for ``seconds`` without beginning.

        Returns the names of those tasks.

        :raises Unavailable: Airflow's database does not respond.
        """

    async def mark_succeeded(self, task_ids: Collection[str]) -> None:
        """Mark the task instances with these ids as succeeded, if they belong to the product and are still deferred.

        :raises Unavailable: Airflow's database does not respond.
        """

    async def pause(self, dag_id: str) -> None:
        """Pause the DAG; does nothing when there is no such DAG.

        :raises Unavailable: Airflow's database does not respond.
        """

    async def unpause(self, dag_id: str) -> None:
        """Unpause the DAG; does nothing when there is no such DAG.

        :raises Unavailable: Airflow's database does not respond.
        """


@dataclass(frozen=True, slots=True)
class HumanTask:
    """A task of an execution's DAG that waits for a person's answer."""

    dag_id: str
    task_id: str


class HumanTasks(Protocol):
    """The tasks that ask people for an answer in the Airflow UI, and the permissions of these people."""

    async def may_approve(self, user_id: str, user_name: str) -> bool:
        """Whether Airflow's auth manager allows that user to approve stages.

        :raises Unavailable: Airflow's database does not respond.
        """

    async def waiting(self, dag_id: str | None = None) -> Sequence[HumanTask]:
        """The tasks that wait for an answer, of all executions or of one DAG.

        :raises Unavailable: Airflow's database does not respond.
        """

    async def answers(self, tasks: Sequence[HumanTask]) -> Mapping[HumanTask, Answer]:
        """The answers that people gave to ``tasks``; unanswered tasks are left out.

        :raises Unavailable: Airflow's database does not respond.
        """

    async def ask_again(self, task: HumanTask, body: str) -> None:
        """Delete the task's answer and replace the text of its request (Markdown), which the task itself cannot do.

        :raises Unavailable: Airflow's database does not respond.
        """

    async def release(self, task: HumanTask, approved: bool, by: str | None) -> bool:
        """Answer the task as the user ``by`` (None: no user), so that it continues; False when it no longer waits.

        :raises Unavailable: Airflow's database does not respond.
        """


class Notices(Protocol):
    """Sends notices to people through Airflow notifiers."""

    def are_wanted(self) -> bool:
        """Whether a notifier is configured."""

    async def send(self, notice: Notice) -> None:
        """Make Airflow send the notice at least once; passing the same notice again has no effect.

        :raises Unavailable: Airflow cannot take it now.
        """


class ParseRequests(Protocol):
    """Asks Airflow to parse an execution's DAG file now."""

    async def ask(self, execution_id: str) -> None:
        """Request the parse; never fails, because a control loop repeats it until Airflow has the DAG."""
