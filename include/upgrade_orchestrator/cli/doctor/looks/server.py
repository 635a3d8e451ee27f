"""The API server: where people call it, and where tasks do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from upgrade_orchestrator.cli.doctor.finding import Finding, error, warning, well

ANSWER_SECONDS = 10.0
MAX_BYTES = 65_536
_HEALTH = "/api/v1/registry/health"
_NO_ANSWER = (OSError, HTTPException, ValueError)
"ValueError: what is configured is no address."


def look_at_server() -> Iterator[Finding]:
    """Our health in it, which tells of the loops, the relay and the drivers; and the API that runs the tasks."""
    from airflow.configuration import conf

    base = conf.get("api", "base_url", fallback=None) or "/"
    yield _ours((base if "://" in base else f"http://localhost:8080{base}").rstrip("/"))
    yield _of_tasks()


def _ours(base: str) -> Finding:
    subject = "API server"
    try:
        status, text = _get(f"{base}{_HEALTH}")
    except _NO_ANSWER as failed:
        why = f"{base} cannot be reached from here ({_reason(failed)})"
        return warning(subject, why, "start it, or correct [api] base_url; it may answer where people call it from")
    if status == 200:
        return well(subject, f"{base} answers, with the upgrades' API")
    if status == 503 and (detail := _detail(text)):
        return error(subject, f"{base} is not well ({detail})", "see docs/troubleshooting.md")
    return error(subject, f"{base}{_HEALTH} is {status}", "install the package where it runs, and restart it")


def _of_tasks() -> Finding:
    from airflow.executors.base_executor import get_execution_api_server_url

    base, subject, setting = get_execution_api_server_url().rstrip("/"), "tasks", "[core] execution_api_server_url"
    try:
        status, _ = _get(f"{base}/health")
    except _NO_ANSWER as failed:
        why = f"{base} cannot be reached from here ({_reason(failed)})"
        return warning(subject, why, f"set {setting} to what workers and triggerer reach; without it no task runs")
    if status == 200:
        return well(subject, f"{base} answers")
    return error(subject, f"{base}/health is {status}", f"set {setting} to the API server's address with /execution/")


def _get(url: str) -> tuple[int, str]:
    """Status and the beginning of the text."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("it is neither http nor https")
    try:
        with urlopen(Request(url), timeout=ANSWER_SECONDS) as response:  # noqa: S310 - the scheme is checked above
            return response.status, response.read(MAX_BYTES).decode("utf-8", "replace")
    except HTTPError as answer:
        return answer.code, answer.read(MAX_BYTES).decode("utf-8", "replace")


def _reason(failed: Exception) -> str:
    return str(getattr(failed, "reason", None) or failed or type(failed).__name__)


def _detail(text: str) -> str:
    try:
        found = json.loads(text)
    except ValueError:
        return ""
    return str(found.get("detail") or "")[:300] if isinstance(found, dict) else ""
