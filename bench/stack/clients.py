"""The HTTP clients of the bench: tokens, the product's REST API and Airflow's own."""

from typing import Any

import httpx

from local.fleet.client import FleetAdmin
from local.ports import HOST
from local.stack.stack import Stack

Json = dict[str, Any]
TIMEOUT_SECONDS = 60.0


def registry_client(stack: Stack) -> httpx.Client:
    """A client of the product's API as the local admin user."""
    return _client(stack, "/api/v1/registry")


def airflow_client(stack: Stack) -> httpx.Client:
    """A client of Airflow's own API as the local admin user."""
    return _client(stack, "/api/v2")


def agent_url(stack: Stack) -> str:
    """The address of the demo fleets' agent."""
    return f"http://{HOST}:{stack.ports.agent}"


def fleet_admin(stack: Stack) -> FleetAdmin:
    """The administration of the stack's demo fleets."""
    return FleetAdmin(agent_url(stack), stack.credentials().agent_token, timeout=TIMEOUT_SECONDS)


def answered(response: httpx.Response) -> Json:
    """The body of an answer.

    :raises RuntimeError: it is a refusal; with the request and the answer's text.
    """
    if response.is_error:
        request = response.request
        raise RuntimeError(f"{request.method} {request.url.path}: {response.status_code} {response.text[:500]}")
    body: Json = response.json() if response.content else {}
    return body


def _client(stack: Stack, path: str) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://{HOST}:{stack.port}{path}",
        headers={"Authorization": f"Bearer {stack.token()}"},
        timeout=TIMEOUT_SECONDS,
        trust_env=False,
    )
