"""What goes wrong in a lifecycle machine: processes die and sleep, the database, the agent and instances fail."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.integration.runner.lifecycle_state import LifecycleState


class Faults(LifecycleState):
    """Everything that nobody wants."""

    @precondition(lambda self: self.runners)
    @rule(data=st.data(), steps=st.integers(1, 12), woken=st.booleans())
    def runner_goes_on(self, data: st.DataObject, steps: int, woken: bool) -> None:
        runner = data.draw(st.sampled_from(self.runners))

        async def go() -> None:
            for _ in range(steps):
                await runner.step(woken)

        self.bench.run(go())
        self.reap()

    @precondition(lambda self: self.runners)
    @rule(data=st.data(), politely=st.booleans())
    def runner_dies(self, data: st.DataObject, politely: bool) -> None:
        runner = data.draw(st.sampled_from(self.runners))
        self.bench.run(runner.cancel() if politely else runner.kill())
        self.reap()

    @precondition(lambda self: self.runners)
    @rule(data=st.data(), fate=st.sampled_from(["refused", "unanswered"]))
    def database_goes_away(self, data: st.DataObject, fate: str) -> None:
        data.draw(st.sampled_from(self.runners)).gate.next_commit = fate

    @precondition(lambda self: self.ledgers)
    @rule()
    def lease_ends(self) -> None:
        self.tenant.end_lease()

    @rule(seconds=st.sampled_from([1.0, 5.0, 15.0, 30.0, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.bench.clock.put_forward(seconds)

    @precondition(lambda self: self.ledgers)
    @rule(data=st.data(), fate=st.sampled_from(["well", "stopped", "unhealthy"]))
    def instance_gets_on(self, data: st.DataObject, fate: str) -> None:
        self.tenant.fleet.get_on(data.draw(st.sampled_from(sorted(self.tenant.fleet.instances))), fate)

    @rule(data=st.data())
    def instance_falls_ill(self, data: st.DataObject) -> None:
        self.tenant.fleet.fall_ill(data.draw(st.sampled_from(sorted(self.tenant.fleet.instances))))

    @rule(data=st.data())
    def instance_recovers(self, data: st.DataObject) -> None:
        self.tenant.fleet.recover(data.draw(st.sampled_from(sorted(self.tenant.fleet.instances))))

    @rule(kind=st.sampled_from(["silent", "lost", "doubled"]), calls=st.integers(1, 6))
    def agent_misbehaves(self, kind: str, calls: int) -> None:
        setattr(self.tenant.fleet.faults, kind, calls)
