"""Faults of a lifecycle machine: processes die and sleep; the database, the agent and instances fail."""

from hypothesis.stateful import precondition, rule

from tests.lifecycle.chance import CHANCE, Chance, one_of, pick
from tests.lifecycle.state import LifecycleState


class Faults(LifecycleState):
    """All kinds of faults."""

    @precondition(lambda self: self.runners)
    @rule(data=CHANCE, steps=one_of(*range(1, 13)), woken=one_of(False, True))
    def runner_goes_on(self, data: Chance, steps: int, woken: bool) -> None:
        runner = pick(data, self.runners)

        async def go() -> None:
            for _ in range(steps):
                await runner.step(woken)

        self.bench.run(go())
        self.reap()

    @precondition(lambda self: self.runners)
    @rule(data=CHANCE, politely=one_of(False, True))
    def runner_dies(self, data: Chance, politely: bool) -> None:
        runner = pick(data, self.runners)
        self.bench.run(runner.cancel() if politely else runner.kill())
        self.reap()

    @precondition(lambda self: self.runners)
    @rule(data=CHANCE, fate=one_of("refused", "unanswered"))
    def database_goes_away(self, data: Chance, fate: str) -> None:
        pick(data, self.runners).gate.next_commit = fate

    @precondition(lambda self: self.ledgers)
    @rule()
    def lease_ends(self) -> None:
        self.tenant.end_lease()

    @rule(seconds=one_of(1.0, 5.0, 15.0, 30.0, 60.0))
    def time_passes(self, seconds: float) -> None:
        self.bench.clock.put_forward(seconds)

    @precondition(lambda self: self.ledgers)
    @rule(data=CHANCE, fate=one_of("well", "stopped", "unhealthy"))
    def instance_gets_on(self, data: Chance, fate: str) -> None:
        self.tenant.fleet.get_on(pick(data, sorted(self.tenant.fleet.instances)), fate)

    @rule(data=CHANCE)
    def instance_falls_ill(self, data: Chance) -> None:
        self.tenant.fleet.fall_ill(pick(data, sorted(self.tenant.fleet.instances)))

    @rule(data=CHANCE)
    def instance_recovers(self, data: Chance) -> None:
        self.tenant.fleet.recover(pick(data, sorted(self.tenant.fleet.instances)))

    @rule(kind=one_of("silent", "lost", "doubled"), calls=one_of(*range(1, 7)))
    def agent_misbehaves(self, kind: str, calls: int) -> None:
        setattr(self.tenant.fleet.faults, kind, calls)
