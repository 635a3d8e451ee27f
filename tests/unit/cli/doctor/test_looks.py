"""What the doctor says of Airflow's parts, from what Airflow says of itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from upgrade_orchestrator.cli.doctor.finding import Level
from upgrade_orchestrator.cli.doctor.looks.bundle import _import_error, look_at_bundle
from upgrade_orchestrator.cli.doctor.looks.components import _component
from upgrade_orchestrator.cli.doctor.looks.roles import look_at_roles
from upgrade_orchestrator.cli.doctor.looks.scheduler import look_at_scheduler_settings
from upgrade_orchestrator.cli.doctor.looks.server import look_at_server
from upgrade_orchestrator.cli.doctor.looks.slots import _parallelism, _pool
from upgrade_orchestrator.cli.doctor.order import LOOKS

OUR_HEALTH, TASKS_HEALTH = "/at/api/v1/registry/health", "/at/execution/health"


@contextmanager
def answering(answers: dict[str, tuple[int, str]]) -> Iterator[str]:
    """A server that answers these paths, and any other with 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, text = answers.get(self.path, (404, "nothing here"))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/at"
        server.shutdown()


def lines_of(answers: dict[str, tuple[int, str]], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with answering(answers) as base:
        monkeypatch.setenv("AIRFLOW__API__BASE_URL", base)
        return [str(each).replace(base, "BASE") for each in look_at_server()]


def test_server_that_answers_people_and_tasks_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, tasks = lines_of({OUR_HEALTH: (200, "{}"), TASKS_HEALTH: (200, "{}")}, monkeypatch)
    assert ours == "ok       API server: BASE answers, with the upgrades' API"
    assert tasks == "ok       tasks: BASE/execution answers"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((503, '{"detail": "the relay is behind"}'), "BASE is not well (the relay is behind)"),
        ((503, "<html>no backend</html>"), f"BASE{OUR_HEALTH[3:]} is 503: install the package where it runs"),
        ((404, ""), f"BASE{OUR_HEALTH[3:]} is 404: install the package where it runs"),
    ],
)
def test_server_without_our_api_or_unwell_is_an_error(
    answer: tuple[int, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, tasks = lines_of({OUR_HEALTH: answer}, monkeypatch)
    assert ours.startswith(f"error    API server: {said}")
    assert tasks.startswith("error    tasks: BASE/execution/health is 404: set [core] execution_api_server_url")


@pytest.mark.parametrize("base", ["http://127.0.0.1:9", "ftp://127.0.0.1"])
def test_server_that_is_not_reached_is_a_warning(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", base)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert [each.level for each in look_at_server()] == [Level.WARNING, Level.WARNING]


def test_component_without_a_heartbeat_is_an_error_that_says_how_to_start_it() -> None:
    assert str(_component("triggerer", "healthy", "2026-01-01")) == "ok       triggerer: runs"
    gone = str(_component("triggerer", "unhealthy", "2026-01-01T00:00:00"))
    assert gone.startswith(
        "error    triggerer: has given no sign since 2026-01-01T00:00:00: start it (airflow triggerer)"
    )
    assert "was never started" in str(_component("dag-processor", None, None))


def test_pool_without_slots_is_an_error_and_a_full_one_a_warning() -> None:
    assert _pool({"total": 8, "open": 3}).level is Level.OK
    assert _pool({"total": float("inf"), "open": float("inf")}).level is Level.OK
    assert _pool({"total": 8, "open": 0}).level is Level.WARNING
    assert _pool({"total": 0, "open": 0}).level is Level.ERROR


def test_executor_with_one_place_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _parallelism().level is Level.OK
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "1")
    assert _parallelism().level is Level.WARNING


def test_scheduler_setting_that_makes_upgrades_stand_still_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [each.level for each in look_at_scheduler_settings()] == [Level.OK]
    monkeypatch.setenv("AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT", "3600")
    (found,) = look_at_scheduler_settings()
    assert str(found).startswith("warning  settings: [scheduler] task_instance_heartbeat_timeout is 3600: ")


def test_roles_are_those_of_an_auth_manager_without_roles_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__AUTH_MANAGER", "airflow.api_fastapi.auth.managers.simple.SimpleAuthManager")
    (found,) = look_at_roles()
    assert str(found) == "ok       roles: SimpleAuthManager has its own"


def test_bundle_of_another_name_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__UPGRADES__DAG_BUNDLE", "elsewhere")
    (found,) = look_at_bundle()
    assert (found.level, "set it to" in found.message) == (Level.ERROR, True)


def test_import_error_is_the_last_line_of_its_traceback() -> None:
    found = _import_error("upgrade_executions/shard_1.py", "Traceback:\n  File x\nModuleNotFoundError: no psycopg\n")
    assert found.message == "upgrade_executions/shard_1.py cannot be imported (ModuleNotFoundError: no psycopg)"


def test_every_look_is_in_the_order() -> None:
    from pkgutil import iter_modules

    from upgrade_orchestrator.cli.doctor import looks

    modules = {each.name for each in iter_modules(looks.__path__)}
    assert {look.__module__.rsplit(".", 1)[-1] for look in LOOKS.values()} == modules
