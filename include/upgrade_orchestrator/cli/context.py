"""Access to Airflow's connections from a command."""

from __future__ import annotations

import os


def act_as_server() -> None:
    """Let Airflow look up connections in its database as well, as its own commands do.

    Otherwise it only looks in the environment and in secrets backends, and misses connections entered in the UI. A
    value that is there already comes from the task or terminal that the command runs in, and says nothing of it.
    """
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
