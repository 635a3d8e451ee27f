"""docs/live-stream.md: its command and its program follow an upgrade to its end."""

import asyncio
import json
import os
from typing import Any

import httpx
import pytest

from tests.architecture.sources import ROOT
from tests.guides import code_blocks
from tests.integration.web.live import messages_of
from tests.integration.world import TENANT, World
from upgrade_orchestrator.web.app import URL_PREFIX

PAGE = (ROOT / "docs" / "live-stream.md").read_text(encoding="utf-8")
BLOCKS = list(code_blocks(PAGE))
COMMAND, SAMPLE = (text for kind, text in BLOCKS if not kind)
(PROGRAM,) = (text for kind, text in BLOCKS if kind == "python")
TOKEN = "token-of-alice"


@pytest.fixture
async def created(live: httpx.AsyncClient, world: World) -> str:
    identifier: str = (await live.post(f"/tenants/{TENANT}/upgrades", json=world.request())).json()["id"]
    return identifier


async def test_command_in_the_guide_reads_the_stream_to_the_end(live: httpx.AsyncClient, created: str) -> None:
    server = str(live.base_url).removesuffix(f"{URL_PREFIX}/")
    curl = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        COMMAND.replace("http://localhost:8084", server),
        env=os.environ | {"TOKEN": TOKEN, "ID": created, "no_proxy": "*"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert curl.stdout is not None
    async with asyncio.timeout(20):
        first = await curl.stdout.readuntil(b"id: 1\n")  # arrived while the stream goes on
        await live.post(f"/upgrades/{created}/cancel")
        others, _ = await curl.communicate()
    messages = list(messages_of((first + others).decode().splitlines()))
    page = (await live.get(f"/upgrades/{created}/events")).json()["items"]
    assert curl.returncode == 0
    assert [each.data for each in messages if each.id] == page
    assert (messages[-1].event, messages[-1].data["status"]) == ("end", "CANCELLED")


async def test_program_in_the_guide_reads_the_stream_to_the_end(live: httpx.AsyncClient, created: str) -> None:
    names: dict[str, Any] = {}
    exec(compile(PROGRAM, "live-stream.md", "exec"), names)
    server = str(live.base_url).removesuffix(f"{URL_PREFIX}/")

    def followed() -> list[dict[str, Any]]:
        with httpx.Client(base_url=server, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) as client:
            return list(names["follow"](client, created))

    following = asyncio.create_task(asyncio.to_thread(followed))
    await live.post(f"/upgrades/{created}/start")
    assert not (await asyncio.wait([following], timeout=0.5))[0]
    await live.post(f"/upgrades/{created}/cancel")
    async with asyncio.timeout(20):
        found = await following
    assert found == (await live.get(f"/upgrades/{created}/events")).json()["items"]


def test_sample_in_the_guide_has_the_fields_of_a_real_stream() -> None:
    fields = [line.partition(": ")[0] for line in SAMPLE.splitlines() if line]
    assert fields == ["retry", "event", "data", "id", "", "event", "data"]
    assert json.loads(SAMPLE.splitlines()[-1].removeprefix("data: ")).keys() == {"status", "sequence"}
