"""A database whose host has gone silent is a 503 within seconds."""

import asyncio

import httpx
import pytest

from tests.integration.store.engine.silent_proxy import SilentProxy
from tests.integration.web.apps import SharedApp
from tests.integration.world import SETTINGS
from upgrade_orchestrator.adapters.postgres.engine import limits
from upgrade_orchestrator.bootstrap import ports_for


# fault 34
async def test_call_is_503_with_retry_after_when_the_database_goes_silent(
    api: httpx.AsyncClient, shared_app: SharedApp, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("STATEMENT_SECONDS", 0.5), ("GRACE_SECONDS", 0.5), ("CONNECT_SECONDS", 2)):
        monkeypatch.setattr(limits, name, seconds)
    async with SilentProxy(postgres_url).running() as proxy:
        shared_app.ports = ports_for(proxy.url, SETTINGS)
        assert (await api.get("/components")).status_code == 200
        proxy.fall_silent()
        async with asyncio.timeout(10):
            response = await api.get("/components")
        assert (response.status_code, response.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert int(response.headers["Retry-After"]) > 0
        proxy.speak()
        assert (await api.get("/components")).status_code == 200
