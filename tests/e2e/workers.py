"""LocalExecutor's workers, whose process titles contain the task that they have taken."""

import psutil

from local.airflow.settings import SCHEDULER
from local.stack.stack import Stack


def workers(stack: Stack) -> dict[psutil.Process, str]:
    """The title of each process, read whole: one shorter than the command it began with leaves empty arguments."""
    scheduler = stack.leader(SCHEDULER)
    assert scheduler is not None
    titles = {each: " ".join(each.cmdline()) for each in psutil.Process(scheduler.pid).children()}
    return {each: title for each, title in titles.items() if "LocalExecutor" in title}
