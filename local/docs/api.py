"""`make docs`: writes docs/api.md from the API's own OpenAPI document, so that the two cannot differ."""

from pathlib import Path
from typing import Any

from fastapi import Request

from upgrade_orchestrator.domain.errors import Unauthenticated
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.web.app import create_app
from upgrade_orchestrator.web.openapi.description import description
from upgrade_orchestrator.web.security import Caller

BASE = "/api/v1/registry"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
_HEAD = f"""# The REST API

Made by `make docs` from the OpenAPI document that the server gives to authenticated callers at `{BASE}/openapi.json`.

Base path `{BASE}`. JSON in camelCase, times in UTC with `Z`. Every call but `GET /health` needs `Authorization: Bearer`
with a token of Airflow. Errors are `application/problem+json` with a `code`; a 422 names every offending field in
`errors`. A path with a line feed (`%0A`) before its end does not reach this app: Airflow itself responds with 404, in
plain `application/json`.

Every response has an `X-Request-ID`: the caller's own (1 to 128 of `A-Za-z0-9._:/+=@-`), else a new one. The lines of
the API server's log from within the call carry it as `request_id`; each write and each error has a line with
caller, status and milliseconds, and the table `command` keeps the id in `detail`. Writes take an `Idempotency-Key`: the
same key and request get the first response for 24 h.

"""


async def _no_ports() -> Ports:
    raise RuntimeError("a description opens nothing")


async def _no_caller(_: Request) -> Caller:
    raise Unauthenticated("no caller")


def page() -> str:
    """The text of docs/api.md."""
    document = description(create_app(_no_ports, _no_caller), BASE)
    calls = [(method.upper(), path, call) for path, item in document["paths"].items() for method, call in item.items()]
    schemas = document["components"]["schemas"]
    bodies = [name for name in sorted(schemas) if name.endswith("Body")]
    return _HEAD + _calls(calls) + "".join(_fields(name, schemas[name]) for name in bodies)


def _calls(calls: list[tuple[str, str, dict[str, Any]]]) -> str:
    rows = [f"| `{method} {path}` | {_success(call)} | {_description(call)} |" for method, path, call in calls]
    return "\n".join(["## Calls", "", "| call | success | what |", "|---|---|---|", *rows]) + "\n"


def _success(call: dict[str, Any]) -> str:
    return ", ".join(sorted(code for code in call["responses"] if code.startswith("2")))


def _description(call: dict[str, Any]) -> str:
    return str(call.get("description") or call.get("summary", "")).split("\n\n")[0].replace("\n", " ")


def _fields(name: str, schema: dict[str, Any]) -> str:
    required, fields = schema.get("required", []), schema.get("properties", {})
    head, rule = "| field | type | default |", "|---|---|---|"
    described = any("description" in about for about in fields.values())
    if described:
        head, rule = f"{head} what |", f"{rule}---|"
    rows = [
        f"| `{field}` | {_type(about)} | {'required' if field in required else _default(about)} |"
        + (f" {about.get('description', '')} |" if described else "")
        for field, about in fields.items()
    ]
    return "\n".join([f"\n## {name}", "", head, rule, *rows]) + "\n"


def _type(about: dict[str, Any]) -> str:
    if "anyOf" in about:
        return " or ".join(_type(each) for each in about["anyOf"])
    if "$ref" in about:
        return str(about["$ref"].rsplit("/", 1)[-1])
    word = "list of " + _type(about["items"]) if about.get("type") == "array" else str(about.get("type", "any"))
    low, high = about.get("minimum"), about.get("maximum")
    return word if low is None and high is None else f"{word}, {low} to {high}"


def _default(about: dict[str, Any]) -> str:
    return f"`{about['default']}`" if about.get("default") is not None else "-"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
