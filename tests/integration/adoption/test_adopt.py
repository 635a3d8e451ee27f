"""docs/adopt.md, followed exactly: install, two connections, one line of configuration, one command; and the way back,
docs/access.md.

In a new environment with the wheel and a bare Airflow, beside what a project has of its own; then with FAB under a path
of the URL, and with SimpleAuthManager.
"""

import json
import re
import shlex
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
import yaml
from sqlalchemy import make_url

from local.ports import HOST
from local.postgres.server import Postgres
from tests.architecture.sources import ROOT
from tests.guides import code_blocks
from tests.integration.adoption import access_page
from tests.integration.adoption.api_server import running, serving
from tests.integration.adoption.project import EXISTING, Project
from tests.integration.fleet.running_agent import TOKEN, RunningAgent
from tests.integration.web.api_server import simple_auth
from tests.integration.world import document
from upgrade_orchestrator.adapters.airflow.connections import AGENT_TYPE
from upgrade_orchestrator.domain.airflow.shards import shard_file
from upgrade_orchestrator.settings import Settings

pytestmark = pytest.mark.timeout(600)  # a dozen starts of Airflow, beside the rest of the suite
BLOCKS = list(code_blocks((ROOT / "docs" / "adopt.md").read_text(encoding="utf-8")))
DOCTOR = ["airflow", "upgrades", "doctor"]
COMMANDS = [shlex.split(line, comments=True) for kind, text in BLOCKS if not kind for line in text.splitlines()]
(LINE,) = (text for kind, text in BLOCKS if kind == "ini")
API, FLEET = "/api/v1/registry", "adopted"
PARSE_SECONDS, RUN_SECONDS = 60, 120
Bundles = dict[str, str]
"The bundle of each DAG."
WHERE = """
import json, sys, upgrade_orchestrator
from importlib.metadata import distribution, version
from packaging.requirements import Requirement
wanted = [Requirement(each) for each in distribution("airflow-upgrade-orchestrator").requires]
wanted = [each for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})]
missing = [str(each) for each in wanted if not each.specifier.contains(version(each.name))]
print(json.dumps([upgrade_orchestrator.__file__, sys.path, len(wanted), missing]))
"""
ASK_ALL = """
import contextlib, io, json, logging
from airflow.cli.cli_parser import get_parser
found = []
for words in {commands}:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        given = get_parser().parse_args(words)
        given.func(given)
    found.append(out.getvalue())
print(json.dumps(found))
"""
"Airflow's commands in one process, because each takes seconds to start."


PARSE_ALL = """
from airflow.cli.cli_parser import get_parser
for words in {commands}:
    get_parser().parse_args(words)
"""
DAG_IDS = ["dags", "list", "--columns", "dag_id", "--output", "plain"]
LEFT = {
    "SELECT dag_id FROM dag": {"team_dag"},
    "SELECT conn_id FROM connection": set(),
    "SELECT name FROM ab_role": {"Admin", "Op", "Public", "User", "Viewer"},
    "SELECT filename FROM import_error": set(),
    """SELECT ab_role.name FROM ab_role JOIN ab_permission_view_role ON role_id = ab_role.id
        JOIN ab_permission_view ON ab_permission_view.id = permission_view_id
        JOIN ab_view_menu ON ab_view_menu.id = view_menu_id
        WHERE ab_view_menu.name ~ 'upgrade_|Upgrades'""": set(),
}
"What Airflow's database has after the way back."


@dataclass
class Adopted:
    """The project after following the page."""

    project: Project
    agent: RunningAgent
    without_connection: tuple[str, str]
    "What the set-up prints, and says to standard error, before there are connections."
    said: list[str]
    examined: list[str] = field(default_factory=list)
    "What the doctor says while everything runs."

    def ask(self, *commands: str) -> list[str]:
        """The output of Airflow's commands."""
        return _ask(self.project, [each.split() for each in commands])


def _ask(project: Project, commands: list[list[str]]) -> list[str]:
    found: list[str] = json.loads(project.python_code(ASK_ALL.format(commands=commands)).splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def adopted(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adopted]:
    with postgres_server.connect() as connection:
        for name in ("adopting_airflow", "adopting_upgrades"):
            connection.execute(f"CREATE DATABASE {name}")
    project = Project(tmp_path_factory.mktemp("adoption"), postgres_server, "adopting_airflow")
    project.python_code(EXISTING)
    with closing(RunningAgent(tmp_path_factory.mktemp("agent"))) as agent:
        project.install()
        project.configure(LINE)
        missing = project.refused("upgrade_orchestrator.cli.setup")
        yield Adopted(project, agent, missing, _do(project, _values(postgres_server, agent)))
    with postgres_server.connect() as connection:
        for name in ("adopting_airflow", "adopting_upgrades"):
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def dags(adopted: Adopted, postgres_server: Postgres) -> Bundles:
    """Airflow's DAGs with their bundles, with FAB and under a path, after the first upgrade was started."""
    with serving(adopted.project, "/tools/airflow") as client:
        _look(client)
        meta = {each["connection_type"]: each for each in client.get("/ui/connections/hook_meta").json()}
        assert set(meta[AGENT_TYPE]["extra_fields"]) == {"verify", "cert", "key", "fleet"}
        execution = _start(adopted, client)
        file = f"upgrade_executions/{shard_file(execution)}"
        assert _asked_for(postgres_server) == {("upgrades", file)}
        # without the triggers and tasks of an upgrade: what Airflow runs beside the product is looked at
        with running(adopted.project, "dag-processor", CORE__LAZY_LOAD_PLUGINS="False"):  # faster, as the page says
            found = _parsed(adopted, client, f"upgrade__{execution}")
            client.post(f"{API}/upgrades/{execution}/cancel").raise_for_status()
            settings = {"API__BASE_URL": f"http://localhost:{client.base_url.port}/tools/airflow"}
            with ExitStack() as beside:
                for each in ("scheduler", "triggerer"):
                    beside.enter_context(running(adopted.project, each, "--skip-serve-logs", **settings))
                _run_team_dag(client, adopted.project)
                _wait_for_heartbeats(client, adopted.project)
                adopted.examined += adopted.project.airflow(*DOCTOR[1:], **settings).splitlines()
        return found


def _values(postgres: Postgres, agent: RunningAgent) -> dict[tuple[str, str], str]:
    """What replaces the page's example values, each after its option."""
    url = make_url(postgres.url("adopting_upgrades"))
    database = {("host", "db.example.com"): url.host, ("port", "5432"): url.port, ("login", "upgrades"): url.username}
    database |= {("schema", "upgrades"): url.database, ("password", "change-me"): url.password}
    fleet = {("schema", "https"): "http", ("host", "agent.example.com"): HOST, ("port", "8090"): agent.port}
    return {key: str(each) for key, each in (database | fleet | {("password", "the-agents-token"): TOKEN}).items()}


def _do(project: Project, values: dict[tuple[str, str], str]) -> list[str]:
    """Type the page's commands for the connections, and that for the set-up; returns what they print."""
    typed: list[list[str]] = []
    for words in COMMANDS:
        before = ["", *(word.removeprefix("--conn-") for word in words)]
        typed.append([values.get(pair, pair[1]) for pair in zip(before, words, strict=False)])
    pip, *connections, set_up, doctor = typed
    assert (pip, set_up, doctor) == (["pip", "install", "."], ["airflow", "upgrades", "setup"], DOCTOR)
    return [*_ask(project, [each[1:] for each in connections]), project.airflow(*set_up[1:])]


def test_setup_command_without_the_connection_says_in_one_line_what_to_type(adopted: Adopted) -> None:
    printed, refused = adopted.without_connection
    (line,) = refused.splitlines()
    add = "airflow connections add upgrades_db --conn-type postgres --conn-host HOST --conn-port 5432"
    assert line.startswith(f"upgrades: the Airflow connection upgrades_db is not defined: {add} ")
    assert "Upgrade Viewer" in printed
    assert "Added Permission" not in printed, "FAB's log hides the line"


def test_connections_are_in_airflows_database_only(adopted: Adopted) -> None:
    assert not [name for name in adopted.project.env if name.startswith("AIRFLOW_CONN_")]


def test_package_is_the_installed_wheel_with_all_its_requirements(adopted: Adopted) -> None:
    file, path, wanted, missing = json.loads(adopted.project.python_code(WHERE))
    assert file.startswith(f"{adopted.project.folder}/venv/lib/")
    assert not [each for each in path if each in (str(ROOT), str(ROOT / "include"))]
    assert (wanted > 10, missing) == (True, [])


def test_setup_command_reports_what_it_did(adopted: Adopted) -> None:
    *_, said = adopted.said
    assert "upgrades: database is at the newest schema" in said
    assert "upgrades: roles Upgrade Viewer, Upgrade Operator, Upgrade Approver, Upgrade Admin exist" in said


def test_first_upgrade_with_fab_and_a_base_path_gets_its_dag_from_the_bundle(dags: Bundles) -> None:
    (upgrade,) = (name for name in dags if name.startswith("upgrade__"))
    assert dags == {"team_dag": "dags-folder", "upgrade_request": "upgrades", upgrade: "upgrades"}


def test_doctor_finds_nothing_wrong_while_everything_runs(adopted: Adopted, dags: Bundles) -> None:
    *findings, summary = [each for each in adopted.examined if re.match(r"ok |warning |error |\d+ errors", each)]
    assert [each for each in findings if not each.startswith("ok ")] == []
    assert summary == f"0 errors, 0 warnings, {len(findings)} ok"
    subjects = [each.split()[1].rstrip(":") for each in findings]
    parts = ["database", "schema", "clock", "roles", "bundle", "DAG", "scheduler", "triggerer", "dag-processor"]
    assert subjects == [*parts, "API", "tasks", "settings", "pool", "slots", "events", "fleet"]


def test_airflow_lists_the_dags_and_plugins_of_the_package_without_import_errors(
    adopted: Adopted, dags: Bundles
) -> None:
    config, *lists = adopted.ask(
        "config list --section upgrades --include-descriptions",
        "providers list --output json",
        "providers hooks --output json",
        "plugins --output json",
        "connections list --output json",
        "dags list --output json",
        "dags list-import-errors --output json",
    )
    providers, hooks, plugins, connections, listed, errors = map(_json, lists)
    assert re.findall(r"^# (\w+) = ", config, re.MULTILINE) == [each.name for each in fields(Settings)]
    ours = "airflow-upgrade-orchestrator"
    assert [each["version"] for each in providers if each["package_name"] == ours] == ["0.1.0"]
    kinds = {each["connection_type"]: each["package_name"] for each in hooks}
    assert (kinds[AGENT_TYPE], kinds["postgres"]) == (ours, "apache-airflow-providers-postgres")
    sources = {each["name"]: each["source"] for each in plugins}
    assert sources["team"] == "$PLUGINS_FOLDER/team_plugin.py"
    assert sources["upgrades"].startswith(f"{ours}==0.1.0")
    defined = {each["conn_id"]: each["conn_type"] for each in connections}
    assert (defined["upgrades_db"], defined["my_fleet"]) == ("postgres", AGENT_TYPE)
    assert {each["dag_id"] for each in listed} == dags.keys()
    assert errors == []


def test_first_upgrade_with_simple_auth_manager_at_the_root_path_completes(adopted: Adopted) -> None:
    with serving(adopted.project, "", **simple_auth.settings(adopted.project.folder)) as client:
        _look(client)


def test_commands_of_the_access_page_are_airflows(adopted: Adopted) -> None:
    assert {each[0] for each in access_page.MADE} == {"connections", "users"}
    adopted.project.python_code(PARSE_ALL.format(commands=access_page.MADE))


def test_uninstalling_leaves_airflow_as_it_was(adopted: Adopted, dags: Bundles, postgres_server: Postgres) -> None:
    """The last one: the project is bare again. A user has one of the roles, and an upgrade its DAG."""
    project = adopted.project
    users = [words for words in access_page.MADE if words[0] == "users"]
    pip, uninstall, yes, package = access_page.UNINSTALL.split()
    assert (pip, uninstall, yes) == ("pip", "uninstall", "--yes")
    project.unconfigure(LINE)
    project.uninstall(package)
    *_, listed = _ask(project, [*users, DAG_IDS])
    words = access_page.typed(project, access_page.CLEAN_UP, listed)
    deleted = [each for each in words if each[:2] == ["dags", "delete"]]
    assert {each[-1] if each[-1] != "--yes" else each[-2] for each in deleted} == dags.keys() - {"team_dag"}
    *_, plugins, after = _ask(project, [*words, ["plugins", "--output", "json"], DAG_IDS])
    assert [each["name"] for each in _json(plugins) if "upgrade" in each["name"]] == []
    assert after.split()[-1] == "team_dag"
    with postgres_server.connect("adopting_airflow") as connection:
        found = {query: {str(each) for (each,) in connection.execute(query)} for query in LEFT}
    assert found == LEFT


def _look(client: httpx.Client) -> None:
    """Health, the pages with all they load, and the test button of the connection's form."""
    assert client.get(f"{API}/health", headers={"Authorization": ""}).json()["parts"]["database"] == "ok"
    page = client.get(f"{API}/view/upgrades")
    assert page.status_code == 200
    loaded = re.findall(r'(?:href|src)="([^"#]*static/[^"]+)"', page.text)
    assert loaded
    for each in loaded:
        assert client.get(urljoin(str(page.url), each)).status_code == 200
    tested = client.post("/api/v2/connections/test", json={"connection_id": "my_fleet", "conn_type": AGENT_TYPE})
    assert tested.json()["status"] is True, tested.text
    menu = client.get("/api/v2/plugins").json()["plugins"]
    (ours,) = (each for each in menu if each["name"] == "upgrades")
    assert ours["fastapi_apps"][0]["url_prefix"] == API


def _start(adopted: Adopted, client: httpx.Client) -> str:
    """Register a fleet by the command, create an upgrade and start it; returns its id."""
    folder, agent = adopted.project.folder, adopted.agent
    agent.admin.create(FLEET, 2, "3.6.0")
    (folder / "backup").write_bytes(b"backup")
    registry = document(FLEET, folder / "backup")
    for each in registry["deployments"]:
        each["connId"] = "my_fleet"
    (folder / "registry.yaml").write_text(yaml.safe_dump(registry))
    assert "created" in adopted.project.airflow("upgrades", "registry", "load", "registry.yaml")
    (deployment,) = registry["deployments"]
    versions = [each["id"] for each in registry["versions"]]
    body = {"componentId": deployment["componentId"], "fromVersionId": versions[0], "toVersionId": versions[1]}
    made = client.post(f"{API}/tenants/{deployment['tenantId']}/upgrades", json=body)
    assert made.status_code == 201, made.text
    started = client.post(f"{API}/upgrades/{made.json()['id']}/start")
    assert started.status_code == 202, started.text
    return str(made.json()["id"])


def _asked_for(postgres: Postgres) -> set[tuple[str, str]]:
    """Bundle and file of each request to the dag processor."""
    with postgres.connect("adopting_airflow") as connection:
        query = "SELECT bundle_name, relative_fileloc FROM dag_priority_parsing_request"
        return {(str(bundle), str(file)) for bundle, file in connection.execute(query)}


def _parsed(adopted: Adopted, client: httpx.Client, wanted: str) -> Bundles:
    """Wait until the wanted DAG, the one for requests and the project's own have been read."""
    deadline = time.monotonic() + PARSE_SECONDS
    found: Bundles = {}
    while not {wanted, "team_dag", "upgrade_request"} <= found.keys():
        assert time.monotonic() < deadline, (found, adopted.project.log("dag-processor"))
        found = {each["dag_id"]: each["bundle_name"] for each in client.get("/api/v2/dags").json()["dags"]}
        time.sleep(0.2)
    return found


def _run_team_dag(client: httpx.Client, project: Project) -> None:
    """Run the project's own DAG, whose task imports from the project's own include/."""
    run = client.post("/api/v2/dags/team_dag/dagRuns", json={"logical_date": None}).raise_for_status().json()
    deadline, state = time.monotonic() + RUN_SECONDS, ""
    while state != "success":
        assert state != "failed", project.log("scheduler")
        assert time.monotonic() < deadline, (state, project.log("scheduler"))
        state = client.get(f"/api/v2/dags/team_dag/dagRuns/{run['dag_run_id']}").json()["state"]
        time.sleep(0.2)


def _wait_for_heartbeats(client: httpx.Client, project: Project) -> None:
    """Wait until each of the components has given its first sign of life."""
    deadline = time.monotonic() + RUN_SECONDS
    found: dict[str, Any] = {}
    while not found or {each["status"] for each in found.values()} != {"healthy"}:
        assert time.monotonic() < deadline, (found, project.log("triggerer"))
        found = client.get("/api/v2/monitor/health").json()
        time.sleep(0.2)


def _json(said: str) -> Any:
    """The command's output below Airflow's log lines."""
    lines = said.splitlines()
    begins = next(number for number, line in enumerate(lines) if line.startswith("[") and not line.startswith("[2"))
    return json.loads("\n".join(lines[begins:]))
