"""The operators of a lifecycle machine: they create, start, steer, promote, approve, retry and revert, at any time."""

from typing import Any

from hypothesis.stateful import initialize, precondition, rule

from tests.lifecycle.bench import COMPONENT, VERSIONS
from tests.lifecycle.chance import one_of
from tests.lifecycle.state import LifecycleState
from upgrade_orchestrator.domain.approval.approval import Answer
from upgrade_orchestrator.domain.execution.commands import Actor, Decision
from upgrade_orchestrator.domain.execution.execution import Strategy, UpgradeRequest
from upgrade_orchestrator.domain.execution.states import ExecutionStatus, is_terminal
from upgrade_orchestrator.service.approvals import decide as approvals
from upgrade_orchestrator.service.approvals import ui_responses as answers
from upgrade_orchestrator.service.upgrade import commands as command
from upgrade_orchestrator.service.upgrade.create import create_upgrade
from upgrade_orchestrator.service.upgrade.retry import retry_upgrade
from upgrade_orchestrator.service.upgrade.revert import RevertOrder, revert_upgrade
from upgrade_orchestrator.service.upgrade.start import start_upgrade

S = ExecutionStatus
OLGA, ANNA = Actor("olga"), Actor("anna")


REQUEST: dict[str, Any] = {
    "strategy": one_of(*Strategy),
    "version": one_of(*sorted(VERSIONS)),
    "batch_size": one_of(*range(1, 4)),
    "max_unavailable_percentage": one_of(1, 40, 60, 100),
    "failure_threshold": one_of(1, 2, 9),
    "auto_rollback_enabled": one_of(False, True),
    "batch_delay_seconds": one_of(0, 0, 20),
    "soak_seconds": one_of(0, 0, 8),
    "canary_percentage": one_of(1, 50, 100),
    "one_less": one_of(False, True),
    "ahead": one_of(*range(0, 7)),
}


class Operators(LifecycleState):
    """Commands, allowed or not."""

    @initialize(size=one_of(*range(1, 6)), room=one_of(False, True), **REQUEST)
    def begin(self, size: int, room: bool, **request: Any) -> None:
        self.tenant = self.bench.new_tenant(size, size if room else 0)
        self.create_and_go_ahead(**request)

    @precondition(lambda self: self.ledgers and self.ledgers[self.current].settled)
    @rule(**REQUEST)
    def create(self, **request: Any) -> None:
        self.create_and_go_ahead(**request)

    def create_and_go_ahead(self, version: str, one_less: bool, ahead: int, **fields: Any) -> None:
        """``ahead``: 0 leaves it PENDING, 1 starts it, and more runs as many tasks of the DAG successfully."""
        current = self.bench.store.current_version(self.tenant.name)
        total = len(self.tenant.fleet.serving()) - one_less
        request = UpgradeRequest(
            component_id=COMPONENT,
            from_version_id=current,
            to_version_id=version if version != current else min(VERSIONS.keys() - {current}),
            health_check_interval_seconds=4,
            health_check_timeout_seconds=25,
            total_instances=total or None,
            **fields,
        )
        made = self.command("create", create_upgrade(self.bench.ports, self.tenant.name, request, OLGA))
        if made is None:
            return
        self.take_on(made)
        if ahead:
            self.command("start", start_upgrade(self.bench.ports, self.current, OLGA))
        for _ in range(ahead - 1):
            self.finish_next_task(None)

    @precondition(lambda self: self.ledgers and self.status() is S.PENDING)
    @rule()
    def start(self) -> None:
        self.command("start", start_upgrade(self.bench.ports, self.current, OLGA))

    @precondition(lambda self: self.ledgers)
    @rule(name=one_of("pause", "roll_back", "pause", "roll_back", "resume", "cancel"), old=one_of(*range(0, 10)))
    def steer(self, name: str, old: int) -> None:
        act = getattr(command, f"{name}_upgrade")
        aimed_at = list(self.ledgers)[0] if old == 9 else self.current
        self.command(name, act(self.bench.ports, aimed_at, None, OLGA))

    @precondition(lambda self: self.ledgers and self.status() is S.PAUSED)
    @rule()
    def resume(self) -> None:
        self.command("resume", command.resume_upgrade(self.bench.ports, self.current, None, OLGA))

    @precondition(lambda self: self.ledgers and self.status() in (S.CANARY_MONITORING, S.CANARY_RUNNING))
    @rule(force=one_of(False, True))
    def promote(self, force: bool) -> None:
        self.command("promote", command.promote_canary(self.bench.ports, self.current, force, None, OLGA))

    @precondition(lambda self: self.waiting_stage() is not None)
    @rule(approve=one_of(False, True), actor=one_of(ANNA, ANNA, OLGA), other=one_of(0, 0, 0, 1))
    def decide_stage(self, approve: bool, actor: Actor, other: int) -> None:
        stage = (self.waiting_stage() or 0) + other
        self.command("decide", approvals.decide_stage(self.bench.ports, self.current, stage, approve, None, actor))

    @precondition(lambda self: self.waiting_stage() is not None)
    @rule(choice=one_of(*Decision), by=one_of("anna", "olga"))
    def answer_in_airflow(self, choice: Decision, by: str) -> None:
        """The task stores the answer, the control loop applies it: an answer by a person without the right is
        refused.
        """
        stage = self.waiting_stage() or 0
        given = Answer(choice, by, "7", self.bench.clock.now())
        self.bench.run(answers.answer_in_ui(self.bench.ports, self.current, stage, given))
        self.bench.run(answers.apply_ui_answers(self.bench.ports))

    @precondition(lambda self: self.ledgers and is_terminal(self.status()))
    @rule()
    def retry(self) -> None:
        made = self.command("retry", retry_upgrade(self.bench.ports, self.current, None, OLGA))
        if made is not None:
            self.take_on(made)

    @precondition(lambda self: self.ledgers and is_terminal(self.status()))
    @rule(start=one_of(False, True), old=one_of(0, 0, 0, 1))
    def revert(self, start: bool, old: int) -> None:
        """Of the newest execution, or of the oldest, which is refused if what it has recorded is outdated."""
        aimed_at = list(self.ledgers)[0] if old else self.current
        made = self.command("revert", revert_upgrade(self.bench.ports, aimed_at, RevertOrder("bad", start=start), OLGA))
        if made is not None:
            self.take_on(made)
