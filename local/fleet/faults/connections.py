"""Faults of the connection itself: answers that come slowly, are huge or never come, and orders that come late."""

import asyncio
import socket
import struct
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.fleet.agent.agent import Agent
from local.fleet.state.faults import Fault, Kind
from local.fleet.state.fleet import Fleet

HUGE_BYTES = 20 * 1024 * 1024
_CHUNK = b" " * 1024 * 1024
_SECONDS = 1.0
"For a fault that needs seconds and has none."


class FaultyConnections:
    """The application behind connections that break as the faults say. Only calls of the protocol are affected."""

    def __init__(self, app: ASGIApp, agent: Agent) -> None:
        self._app, self._agent = app, agent
        self._late: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry point."""
        fleet, instance = target_of(self._agent, scope)
        if fleet is None:
            await self._app(scope, receive, send)
        elif fleet.meet(Kind.RESET, instance):
            await _reset(receive, send)
        elif fleet.meet(Kind.HUGE, instance):
            await _answer_hugely(send)
        elif scope["method"] != "GET" and (late := fleet.meet(Kind.LATE_ORDER, instance)):
            await self._carry_out_later(late, scope, receive, send)
        elif drip := fleet.meet(Kind.DRIP, instance):
            await self._app(scope, receive, _dripping(drip, receive, send))
        else:
            await self._app(scope, receive, send)

    async def _carry_out_later(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """The caller's connection ends now; what it has sent arrives at the agent after the seconds."""
        body = await _body(receive)

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def carry_out() -> None:
            await asyncio.sleep(fault.seconds or _SECONDS)
            await self._app(scope, again, _unheard)

        task = asyncio.create_task(carry_out())
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        await _reset(receive, send)


def target_of(agent: Agent, scope: Scope) -> tuple[Fleet | None, str | None]:
    """The fleet and the instance that a call of the protocol names; None for any other call."""
    parts = scope["path"].split("/") if scope["type"] == "http" else []
    known = {each.name: each for each in agent.fleets()}
    if len(parts) < 3 or parts[1] != "fleets" or parts[2] not in known:
        return None, None
    return known[parts[2]], parts[4] if len(parts) > 4 and parts[3] == "instances" else None


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _unheard(_: Message) -> None:
    """Nobody hears the answer."""


async def _reset(receive: Receive, send: Send) -> None:
    """Reset the connection (RST), without an answer."""
    transport: asyncio.Transport = send.__self__.transport  # type: ignore[attr-defined]
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer_hugely(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    for _ in range(HUGE_BYTES // len(_CHUNK)):
        await send({"type": "http.response.body", "body": _CHUNK, "more_body": True})
    await send({"type": "http.response.body", "body": b"{}"})


def _dripping(fault: Fault, receive: Receive, send: Send) -> Callable[[Message], "asyncio.Future[None]"]:
    """Sends the body byte by byte, until the caller has gone."""

    async def drip(message: Message) -> None:
        if message["type"] != "http.response.body":
            return await send(message)
        for byte in message.get("body", b""):
            await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
            if await _has_left(receive, fault.seconds or _SECONDS):
                return None
        return await send({**message, "body": b""})

    return drip  # type: ignore[return-value]


async def _has_left(receive: Receive, seconds: float) -> bool:
    """Whether the caller ends the connection within the seconds."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True
