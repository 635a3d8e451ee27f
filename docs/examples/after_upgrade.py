"""What to do after every completed upgrade of a component: a DAG of your own, scheduled on the upgrade's asset.

Copy it into your dags folder and name your tenant and component.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Asset, dag, task

UPGRADED = Asset("upgrades/550e8400/aaa-111")
"""`upgrades/{tenantId}/{componentId}`"""


@dag(schedule=UPGRADED, catchup=False, tags={"upgrade"})
def after_upgrade() -> None:
    """Runs when an upgrade is COMPLETED; two that complete close to each other may come as one run."""

    @task
    def report(triggering_asset_events: Any = None) -> list[str]:
        """The executions that this run is about. An event may come twice: what acts on it goes by executionId."""
        events = [event.extra for event in triggering_asset_events[UPGRADED]]
        for each in events:
            print(f"{each['componentId']} of {each['tenantId']} now runs {each['toVersion']}")
        return [each["executionId"] for each in events]

    report()


after_upgrade()
