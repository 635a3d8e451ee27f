"""The commands of a guide, typed in their order into one shell beside the running stack."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from local.stack.stack import DEFAULT_PORT, Stack
from tests.shared_stack import ROOT

MARK = "=== end of a step ==="
SECONDS = 150


def typed(stack: Stack, step: str, instead: Mapping[str, str]) -> str:
    """The step as written, with the ports, the Python and the running stack of this run."""
    commands = {"make -s token": "python -m local token", "make seed FILE=": "python -m local seed "}
    ours = {f"localhost:{DEFAULT_PORT}": f"localhost:{stack.port}", ".venv/bin/python": "python"} | commands
    text = "\n".join(line for line in step.splitlines() if line not in ("make up", "make down"))
    for old, new in (dict(instead) | ours).items():
        text = text.replace(old, new)
    return text


def run(stack: Stack, folder: Path, steps: Sequence[str], instead: Mapping[str, str], **more: str) -> list[str]:
    """What each step has printed; fails when a step fails. ``more`` is for the environment."""
    script = "\n".join(f"{typed(stack, step, instead)}\necho; echo '{MARK}'" for step in steps)
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "LOCAL_STATE": str(stack.layout.state),
        "PORT": str(stack.port),
        "NO_PROXY": "localhost,127.0.0.1",
    } | more
    with subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    ) as shell:  # fmt: skip
        try:
            printed, errors = shell.communicate(timeout=SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGTERM)
    assert shell.returncode == 0, f"{printed}\n{errors}"
    return [each.strip() for each in printed.split(MARK)][:-1]
