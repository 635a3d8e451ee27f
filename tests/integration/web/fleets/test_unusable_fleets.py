"""Create and dry run with a fleet that cannot be used: 503 FLEET_UNUSABLE, which names what is wrong."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.integration.fleet.test_client import Server, answer
from tests.integration.web.routes.test_create import UPGRADES
from tests.integration.world import World

ONE = {"id": "i1", "version": "3.6.0", "status": "RUNNING", "healthy": True}
FLEET = {"fleet": "demo", "instances": [ONE], "capacity": {"freeInstances": 0}, "traffic": "blue"}


@pytest.mark.parametrize("dry", ["", "?dryRun=true"])
async def test_create_is_503_when_the_fleet_does_not_respond(
    api: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch, dry: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_DEMO_FLEET", '{"conn_type": "http", "host": "127.0.0.1", "port": 9}')
    response = await api.post(UPGRADES + dry, json=world.request())
    assert (response.status_code, response.json()["code"]) == (503, "FLEET_UNUSABLE")
    assert int(response.headers["Retry-After"]) > 0
    assert world.rows("execution") == 0


# faults 5, 6 and 12
@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        ("200 OK", FLEET | {"instances": [ONE | {"healthy": "false"}]}, 'instances[0] (i1).healthy: "false" is not'),
        ("200 OK", FLEET | {"capacity": {"freeInstances": float("inf")}}, "capacity.freeInstances: Infinity is not"),
        ("200 OK", FLEET | {"instances": [ONE, ONE]}, "instances[1] (i1).id: instances[0] has the same"),
        ("404 Not Found", {}, "the agent answered 404"),
        ("401 Unauthorized", {}, "correct the password of Airflow connection demo_fleet"),
        ("302 Found", {}, "the agent redirects"),
    ],
)
async def test_create_is_503_and_names_instance_and_field_when_the_answer_is_not_of_the_protocol(
    api: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch, status: str, body: dict[str, Any], said: str
) -> None:
    server = Server(answer(status, body=json.dumps(body).encode()))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    monkeypatch.setenv("AIRFLOW_CONN_DEMO_FLEET", json.dumps({"conn_type": "http", "host": "127.0.0.1", "port": port}))
    response = await api.post(UPGRADES, json=world.request())
    listening.close()
    assert (response.status_code, response.json()["code"]) == (503, "FLEET_UNUSABLE")
    assert said in response.json()["detail"]
    assert world.rows("execution") == 0
