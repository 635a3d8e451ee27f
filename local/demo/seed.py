"""Fills in what the seed's commands need (specification section 12): `python -m local.demo.seed` in the stack's
environment.

The content is in `seed.yaml`. It may be repeated: it resets the demo to its first version, unless an upgrade of the
demo deployment is active; then everything stays as it is.
"""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from local.errors import LocalError
from local.files import write_whole
from local.fleet.client import FleetAdmin
from upgrade_orchestrator.bootstrap import run
from upgrade_orchestrator.cli.registry.document import entries_in
from upgrade_orchestrator.domain.errors import UpgradeError
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.registry.load import load_registry

_SEED = Path(__file__).with_name("seed.yaml")

Document = dict[str, Any]


@dataclass(frozen=True)
class Seed:
    """The document: `registry` is for the product, `fleet` for the agent."""

    registry: Document
    fleet: Document

    @classmethod
    def read(cls) -> "Seed":
        """The content of `seed.yaml`."""
        return cls(**yaml.safe_load(_SEED.read_text()))

    @property
    def deployment(self) -> dict[str, str]:
        """The demo deployment."""
        found: dict[str, str] = self.registry["deployments"][0]
        return found

    def renewed(self, backup: Mapping[str, object]) -> Document:
        """The part that is reset every time, with the size and digest of the real backup file."""
        return {
            "deployments": self.registry["deployments"],
            "backups": [each | backup for each in self.registry["backups"]],
        }


def main() -> int:
    """Fill it in; one line says what was done, or what is wrong (exit code 1)."""
    try:
        print(fill_in(Seed.read(), Path(os.environ["AIRFLOW_HOME"]).parent / "backups"))
    except (LocalError, UpgradeError) as error:
        print(f"seed: {error}", file=sys.stderr)
        return 1
    except httpx.HTTPError as error:
        print(f"seed: the demo fleet's agent refuses or does not answer: {error}", file=sys.stderr)
        return 1
    return 0


def fill_in(seed: Seed, backups: Path) -> str:
    """Fill in everything, with the backup as a file in `backups`; returns what was done.

    :raises LocalError: the environment is not the stack's.
    :raises UpgradeError: the database is away, or the document is wrong.
    :raises httpx.HTTPError: the agent is away or refuses.
    """
    active = run(lambda ports: _active(ports, seed))
    if active is not None:
        return f"seed: upgrade {active} of the demo deployment is active: all stays as it is"
    with _agent() as agent:
        state = _put_back(agent, seed.fleet)
    renewed = seed.renewed(_write_backup(backups, seed.fleet, state))
    added = run(lambda ports: _load(ports, seed.registry | renewed, renewed))
    return f"seed: {added} entries added to the registry, fleet and deployment are at {seed.fleet['version']}"


async def _active(ports: Ports, seed: Seed) -> str | None:
    """The id of the upgrade that holds the demo deployment; also one that ended and still has instances in flight."""
    async with ports.work() as work:
        found = await work.executions.active(seed.deployment["tenantId"], seed.deployment["componentId"])
    return found.id if found else None


async def _load(ports: Ports, document: Document, renewed: Document) -> int:
    loaded = await load_registry(ports, entries_in(document), keep=True)
    async with ports.work() as work:
        for entry in entries_in(renewed):
            await work.registry.put(entry.value)
        await work.commit()
    return loaded.created


def _agent() -> FleetAdmin:
    try:
        connection = json.loads(os.environ["AIRFLOW_CONN_DEMO_FLEET"])
    except KeyError:
        raise LocalError("the stack's environment is needed: run `make up`") from None
    return FleetAdmin(f"http://{connection['host']}:{connection['port']}", connection["password"])


def _put_back(agent: FleetAdmin, wanted: Document) -> Document:
    """Reset the fleet to the wanted size and timing, every instance healthy at the version; returns the fleet.

    A fencing token that a rehearsal has raised is forgotten too: no upgrade is active.
    """
    name, size, version = wanted["name"], wanted["size"], wanted["version"]
    timing = {key: wanted[key] for key in ("upgrade_seconds", "drain_seconds")}
    known = {each["fleet"]: each for each in agent.fleets()}
    if name in known and known[name]["settings"]["size"] != size:
        agent.delete(name)
    elif name in known:
        return agent.reset(name, version, forget_fencing=True, **timing)
    return agent.create(name, size, version, **timing)


def _write_backup(folder: Path, wanted: Document, state: Document) -> dict[str, object]:
    """Write the fleet's definition as a backup, from which it could be recreated; returns location, size and digest."""
    kept = {"fleet": state["fleet"], "settings": state["settings"], "instances": state["instances"]}
    text = json.dumps(kept, indent=2) + "\n"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{wanted['name']}-{wanted['version']}.json"
    write_whole(path, text)
    return {
        "location": path.as_uri(),
        "sizeBytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "createdAt": datetime.now(UTC).isoformat(),
    }


if __name__ == "__main__":
    raise SystemExit(main())
