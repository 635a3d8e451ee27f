"""`pytest tests/soak --minutes M [--seed N] [--only CAMPAIGN[:ROUND]]`; without --minutes no soak runs.

A test module is a campaign: it gets its rounds from the fixture `rounds`. The servers are those of the other tests.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import agent, airflow, api, client_of, new_tenant, stack, token
from tests.integration.conftest import (
    demo_agent,
    memory_folder,
    migrated_template,
    postgres_server,
    postgres_url,
    world,
)
from tests.integration.kafka.conftest import append, ports, reader, real_kafka, topic
from tests.integration.kafka.failover.servers import airflow_env, servers
from tests.integration.runner.conftest import make_lab
from tests.integration.store.conftest import added, store
from tests.lifecycle.on_postgres import bench
from tests.soak.rounds import WEIGHTS, Only, Round, Soak

__all__ = ["agent", "airflow", "api", "client_of", "new_tenant", "stack", "token"]
__all__ += ["demo_agent", "memory_folder", "migrated_template", "postgres_server", "postgres_url", "world"]
__all__ += [
    "ports",
    "reader",
    "real_kafka",
    "append",
    "topic",
    "airflow_env",
    "servers",
    "added",
    "store",
    "bench",
    "make_lab",
]

GRACE_SECONDS = 900
"How long a campaign may take beyond the time of the whole soak before it counts as hanging."
HERE, SOAK = Path(__file__).parent, pytest.StashKey[Soak]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("soak")
    group.addoption("--minutes", type=float, help="how long the campaigns go on in all")
    group.addoption("--seed", type=int, help="of all that is random in them; drawn when it is not given")
    group.addoption("--only", help="one campaign, or one round of it: kills or kills:7")


def pytest_configure(config: pytest.Config) -> None:
    minutes = config.getoption("minutes", None)  # the options are missing when the folder is collected with others
    if minutes is None:
        return
    seed, only = config.getoption("seed"), config.getoption("only")
    try:
        chosen = Only.of(only) if only else None
    except ValueError as error:
        raise pytest.UsageError(f"--only: {error}") from None
    drawn = random.SystemRandom().getrandbits(32) if seed is None else seed
    config.stash[SOAK] = Soak(drawn, minutes * 60, chosen)


def pytest_report_header(config: pytest.Config) -> list[str]:
    soak = config.stash.get(SOAK, None)
    return [f"soak: SEED={soak.seed} MINUTES={soak.seconds / 60:g}"] if soak else []


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    return None if SOAK in config.stash else True


def campaign_of(item: pytest.Item) -> str:
    return item.path.stem.removeprefix("test_")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if SOAK not in config.stash:
        return
    soak = config.stash[SOAK]
    left_out = [each for each in items if not soak.takes_part(campaign_of(each))]
    order = [*WEIGHTS]
    items[:] = sorted(set(items) - set(left_out), key=lambda each: order.index(campaign_of(each)))
    config.hook.pytest_deselected(items=left_out)
    for each in items:
        each.add_marker(pytest.mark.timeout(soak.seconds + GRACE_SECONDS))


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Write a line to the terminal at once, even while output is captured."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    terminal = request.config.pluginmanager.getplugin("terminalreporter")

    def write(line: str) -> None:
        with capture.global_and_fixture_disabled():
            terminal.ensure_newline()
            terminal.write_line(line, flush=True)

    return write


@pytest.fixture
def rounds(request: pytest.FixtureRequest, say: Callable[[str], None]) -> Iterator[Round]:
    """The rounds of the test's campaign."""
    soak = request.config.stash[SOAK]
    soak.say = say
    return soak.rounds(campaign_of(request.node))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if SOAK in config.stash:
        terminalreporter.section("soak")
        for line in pytest_report_header(config) + config.stash[SOAK].summary():
            terminalreporter.write_line(line)
