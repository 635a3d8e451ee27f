"""The script for CI names what keeps an upgrade from going on: once when it begins, once when it is over."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.shared_stack import ROOT

pytestmark = pytest.mark.skipif(shutil.which("jq") is None, reason="the script for CI needs jq, which is not installed")
SILENT: dict[str, Any] = {
    "code": "FLEET_UNREACHABLE",
    "since": "2026-01-31T12:00:00Z",
    "message": "the agent does not answer",
    "tries": 2,
}


def execution(attention: Any = None, status: str = "IN_PROGRESS") -> dict[str, Any]:
    progress = {"percentage": 25, "completed": 5, "total": 20}
    seen = {"id": "e-1", "status": status, "statusReason": "admitted", "progress": progress, "attention": attention}
    return seen | {"awaitingApproval": None, "validationChecks": [], "links": {"airflow": "/dags/upgrade__e-1"}}


@contextmanager
def serving(reads: Sequence[dict[str, Any]]) -> Iterator[str]:
    """An API whose reads of the execution are these, the last one for ever."""
    left = list(reads)

    class Api(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._say(202 if self.path.endswith("/start") else 201, execution(status="PENDING"))

        def do_GET(self) -> None:
            self._say(200, left.pop(0) if len(left) > 1 else left[0])

        def _say(self, status: int, body: dict[str, Any]) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def run(folder: Path, reads: Sequence[dict[str, Any]], **more: str) -> "subprocess.CompletedProcess[str]":
    (folder / "request.json").write_text("{}")
    with serving(reads) as url:
        env = {"PATH": os.environ["PATH"], "UPGRADES_URL": url, "UPGRADES_TOKEN": "t", "UPGRADES_TENANT": "t-1"}
        env |= {"UPGRADES_POLL": "0.1", "NO_PROXY": "127.0.0.1"} | more
        command = ["sh", str(ROOT / "docs/ci/upgrade.sh"), "run", "request.json"]
        return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=60)


def test_attention_is_printed_when_it_begins_and_when_it_is_over(tmp_path: Path) -> None:
    later = SILENT | {"tries": 9}
    done = run(tmp_path, [execution(), execution(SILENT), execution(later), execution(), execution(None, "COMPLETED")])
    assert done.returncode == 0, done.stderr
    lines = [each for each in done.stdout.splitlines() if "attention" in each or "goes on" in each]
    assert lines == [
        "upgrade: needs attention since 2026-01-31T12:00:00Z: FLEET_UNREACHABLE: the agent does not answer",
        "upgrade: goes on: FLEET_UNREACHABLE is over",
    ]


def test_upgrade_that_is_not_hindered_prints_none(tmp_path: Path) -> None:
    done = run(tmp_path, [execution(), execution(), execution(None, "COMPLETED")])
    assert (done.returncode, "attention" in done.stdout, "goes on" in done.stdout) == (0, False, False)


def test_deadline_that_is_over_names_the_last_attention(tmp_path: Path) -> None:
    done = run(tmp_path, [execution(SILENT)], UPGRADES_DEADLINE="1")
    assert done.returncode == 3
    assert "is over; it needs attention: FLEET_UNREACHABLE: the agent does not answer" in done.stderr


def test_deadline_that_is_over_says_no_more_when_nothing_hinders(tmp_path: Path) -> None:
    done = run(tmp_path, [execution(SILENT), execution()], UPGRADES_DEADLINE="4")
    assert (done.returncode, "attention" in done.stderr) == (3, False)
