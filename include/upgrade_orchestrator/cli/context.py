"""Airflow's connections for a command."""

from __future__ import annotations

import os


def act_as_server() -> None:
    """Let Airflow look connections up in its database, too, as its own commands do.

    Else it looks in the environment and in secrets backends only: what was entered in the UI would not be found.
    """
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
