from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.integration.world import COMPONENT, NEW, OLD, TENANT, World

UPGRADES = f"/tenants/{TENANT}/upgrades"


async def test_create_answers_the_execution_in_pending(api: httpx.AsyncClient, world: World) -> None:
    response = await api.post(UPGRADES, json=world.request(strategy="CANARY", canaryPercentage=50))
    print(response.json())
    assert response.status_code == 201, response.text
    r = await api.post(f"/upgrades/{response.json()['id']}/start")
    print(r.json())
    assert r.status_code == 202
