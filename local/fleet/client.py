"""Client of the administration of demo fleets, for tests, the demo and the bench."""

from types import TracebackType
from typing import Any, Self

import httpx

Json = dict[str, Any]


class FleetAdmin:
    """Synchronous client of the agent's /demo calls.

    Every method raises httpx.HTTPStatusError on a refusal.
    """

    def __init__(self, base_url: str, token: str, timeout: float = 30.0) -> None:
        """`base_url` such as http://127.0.0.1:8090; `timeout` in seconds."""
        self.http = httpx.Client(
            base_url=base_url, headers={"Authorization": f"Bearer {token}"}, timeout=timeout, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def create(
        self,
        fleet: str,
        size: int,
        version: str,
        *,
        upgrade_seconds: float = 0.5,
        drain_seconds: float = 0.0,
        free_instances: int | None = None,
        leader: str | None = None,
    ) -> Json:
        """Create the fleet (times in seconds; free room is its size by default); no change if it exists with the
        same settings.
        """
        settings = {"size": size, "version": version, "upgradeSeconds": upgrade_seconds, "drainSeconds": drain_seconds}
        more = {"freeInstances": free_instances, "leader": leader}
        return self._call("PUT", f"/demo/fleets/{fleet}", {**settings, **more})

    def fleets(self) -> list[Json]:
        """All fleets."""
        return self._items("/demo/fleets")

    def fleet(self, fleet: str) -> Json:
        """One fleet: the protocol's body, and settings, highestFencingToken, and each instance's pid and port."""
        return self._call("GET", f"/demo/fleets/{fleet}")

    def instance(self, fleet: str, instance: str) -> Json:
        """One instance with pid and port.

        :raises KeyError: the fleet has none of that id.
        """
        instances: dict[str, Json] = {each["id"]: each for each in self.fleet(fleet)["instances"]}
        return instances[instance]

    def delete(self, fleet: str) -> None:
        """Remove the fleet with its processes and log."""
        self._call("DELETE", f"/demo/fleets/{fleet}")

    def reset(
        self,
        fleet: str,
        version: str,
        *,
        upgrade_seconds: float | None = None,
        drain_seconds: float | None = None,
        free_instances: int | None = None,
        forget_fencing: bool = False,
    ) -> Json:
        """Reset all instances: RUNNING and healthy at the version in pool blue, no faults; timing that is left out
        stays.
        """
        changes = {"upgradeSeconds": upgrade_seconds, "drainSeconds": drain_seconds, "freeInstances": free_instances}
        body = {"version": version, "forgetFencing": forget_fencing, **changes}
        return self._call("POST", f"/demo/fleets/{fleet}/reset", body)

    def fault(
        self,
        fleet: str,
        kind: str,
        instance: str | None = None,
        *,
        seconds: float | None = None,
        times: int | None = None,
        variant: str | None = None,
    ) -> list[Json]:
        """Switch a fault on (a local.fleet.state.faults.Kind); without `instance` for the fleet.

        Returns all that are on.
        """
        body = {"kind": kind, "instance": instance, "seconds": seconds, "times": times, "variant": variant}
        faults: list[Json] = self._call("PUT", f"/demo/fleets/{fleet}/faults", body)["items"]
        return faults

    def faults(self, fleet: str) -> list[Json]:
        """The faults that are on."""
        return self._items(f"/demo/fleets/{fleet}/faults")

    def clear_faults(self, fleet: str, instance: str | None = None, kind: str | None = None) -> None:
        """Switch faults off: those of the instance, of the kind, or all."""
        chosen = {"instance": instance, "kind": kind}
        given = {name: value for name, value in chosen.items() if value is not None}
        self._call("DELETE", f"/demo/fleets/{fleet}/faults", params=given)

    def change(self, fleet: str, kind: str, *instances: str, **more: Any) -> Json:
        """Change the fleet as a person or an autoscaler would (a local.fleet.faults.changes.Change).

        `more`: count, version, healthy, at_least.
        """
        body = {
            "kind": kind,
            "instances": instances,
            **{"atLeast" if k == "at_least" else k: v for k, v in more.items()},
        }
        return self._call("POST", f"/demo/fleets/{fleet}/changes", body)

    def log(self, fleet: str, since: int = 0) -> list[Json]:
        """The lines of the fleet's journal with `n` above `since`; for their kinds see
        local.fleet.state.fleet.Fleet.
        """
        return self._items(f"/demo/fleets/{fleet}/log", {"since": since})

    def transitions(self, fleet: str, since: int = 0) -> list[Json]:
        """Only the journal's lines about an instance's status."""
        return [line for line in self.log(fleet, since) if line["kind"] == "transition"]

    def kill(self, fleet: str, instance: str) -> int:
        """Kill the instance's process (signal 9); returns its pid once it has ended."""
        pid: int = self._call("POST", f"/demo/fleets/{fleet}/instances/{instance}/kill")["pid"]
        return pid

    def _items(self, path: str, params: Json | None = None) -> list[Json]:
        items: list[Json] = self._call("GET", path, params=params)["items"]
        return items

    def _call(self, method: str, path: str, body: Json | None = None, params: Json | None = None) -> Json:
        response = self.http.request(method, path, json=body, params=params)
        response.raise_for_status()
        answer: Json = response.json() if response.content else {}
        return answer
