"""Processes of the running stack: the first one of each component, and LocalExecutor's workers."""

import psutil

from local.airflow.settings import SCHEDULER
from local.stack.stack import Stack


def leaders(stack: Stack) -> dict[str, int]:
    """The id of the first process by the component's name: another id shows that the component was restarted."""
    return {name: leader.pid for name in stack.running() if (leader := stack.leader(name))}


def workers(stack: Stack) -> dict[psutil.Process, str]:
    """The title of each worker's process, which contains the task that it has taken.

    Read whole: a title shorter than the command it began with leaves empty arguments.
    """
    scheduler = stack.leader(SCHEDULER)
    assert scheduler is not None
    titles = {each: " ".join(each.cmdline()) for each in psutil.Process(scheduler.pid).children()}
    return {each: title for each, title in titles.items() if "LocalExecutor" in title}
