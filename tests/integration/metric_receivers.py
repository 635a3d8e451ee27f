"""Receivers of Airflow's metrics: a StatsD over UDP and an OpenTelemetry collector over HTTP, both in this process."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from local.ports import HOST

_SECONDS = 60.0


class StatsD:
    """The lines received, in their order."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._socket.settimeout(_SECONDS)
        self.port = int(self._socket.getsockname()[1])
        self.lines: list[str] = []

    def until(self, wanted: str, seconds: float = _SECONDS) -> list[str]:
        """All lines up to the first with that beginning; fails when none comes."""
        deadline = time.monotonic() + seconds
        while not any(each.startswith(wanted) for each in self.lines):
            assert time.monotonic() < deadline, f"no {wanted} in {self.lines}"
            self._read()
        return self.lines

    def forget(self) -> None:
        """Start receiving."""
        self.lines.clear()

    def _read(self) -> None:
        self.lines.append(self._socket.recv(65536).decode())

    def close(self) -> None:
        self._socket.close()


class Collector(ThreadingHTTPServer):
    """Decodes exported metrics; ``points`` are (name, attributes, value) of every data point."""

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Exports)
        self.points: list[tuple[str, dict[str, str], float]] = []
        self.units: dict[str, str] = {}

    def take(self, request: ExportMetricsServiceRequest) -> None:
        for each in request.resource_metrics:
            for scope in each.scope_metrics:
                for metric in scope.metrics:
                    self._take(metric)

    def _take(self, metric: Any) -> None:
        self.units[metric.name] = metric.unit
        for point in getattr(metric, metric.WhichOneof("data")).data_points:
            tags = {each.key: each.value.string_value for each in point.attributes}
            value = point.sum if hasattr(point, "sum") else point.as_double or point.as_int
            self.points.append((metric.name, tags, float(value)))


class _Exports(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.take(ExportMetricsServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def collecting() -> Iterator[Collector]:
    """A running collector."""
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def switch_on(monkeypatch: pytest.MonkeyPatch, **settings: object) -> None:
    """Airflow's metrics in this process, by its section ``metrics``, as an API server sets them up."""
    from airflow._shared.observability.metrics import stats
    from airflow.observability.metrics import stats_utils

    for name, value in settings.items():
        monkeypatch.setenv(f"AIRFLOW__METRICS__{name.upper()}", str(value))
    for each in ("_factory", "_backend"):
        monkeypatch.setattr(stats, each, None)
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=True)
