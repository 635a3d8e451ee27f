"""docs/observability.md names every metric as it is, and the Grafana dashboard shows every one and no other."""

import json
import re
from typing import Any

from tests.architecture.sources import ROOT
from upgrade_orchestrator.domain.events.metrics import METRICS, Kind

DOCS = ROOT / "docs"
_ROW = re.compile(r"^\| `(upgrades\.[a-z_.]+)` \| (\w+) \| (\w+) \| (.*?) \| (.*?) \|$", re.MULTILINE)
_SHOWN = re.compile(r"airflow_upgrades_[a-z_]+")
_LABELS = re.compile(r"by \(([a-z, ]+)\) \((?:increase\()?(airflow_upgrades_[a-z_]+)")


def _dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DOCS / "observability/dashboard.json").read_text(encoding="utf-8"))
    return found


def _expressions() -> list[str]:
    return [target["expr"] for panel in _dashboard()["panels"] for target in panel.get("targets", [])]


def _in_prometheus(name: str) -> str:
    return f"airflow_{name.replace('.', '_')}"


def test_document_has_a_row_for_each_metric() -> None:
    rows = _ROW.findall((DOCS / "observability.md").read_text(encoding="utf-8"))
    tags = {each.name: ", ".join(f"`{tag}`" for tag in each.tags) or "–" for each in METRICS}
    assert rows == [(each.name, each.kind.value, each.unit, tags[each.name], each.meaning) for each in METRICS]


def test_dashboard_shows_every_metric_and_no_other() -> None:
    shown = {name for each in _expressions() for name in _SHOWN.findall(each)}
    assert shown == {_in_prometheus(each.name) for each in METRICS}


def test_dashboard_groups_by_tags_that_the_metrics_have() -> None:
    tags = {
        _in_prometheus(each.name): {*each.tags, *(["quantile"] if each.kind is Kind.TIMER else [])} for each in METRICS
    }
    grouped = [found for each in _expressions() for found in _LABELS.findall(each)]
    assert grouped
    assert [(labels, name) for labels, name in grouped if not set(labels.split(", ")) <= tags[name]] == []


def test_dashboard_is_of_grafanas_shape() -> None:
    dashboard = _dashboard()
    assert {"uid", "title", "schemaVersion", "panels", "time", "templating"} <= set(dashboard)
    panels = dashboard["panels"]
    assert len({each["id"] for each in panels}) == len(panels)
    cells = [(x, y) for each in panels for x, y in _cells(each["gridPos"])]
    assert len(cells) == len(set(cells)), "panels lie over each other"
    assert max(x for x, _ in cells) < 24


def _cells(at: dict[str, int]) -> list[tuple[int, int]]:
    return [(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]
