"""One line for each trigger that has run in the triggerer."""

import functools
from typing import Any

from bench.probe import calls
from bench.probe.meter import Spent, write_line


def measure(triggerer: Any) -> None:
    """Measure Airflow's trigger runner from now on."""
    runner = triggerer.TriggerRunner
    original = runner.run_trigger

    @functools.wraps(original)
    async def run_trigger(self: Any, trigger_id: int, trigger: Any, *args: Any, **more: Any) -> Any:
        counts, began, of = calls.count_apart(), Spent.by_this_process(), trigger.task_instance
        try:
            return await original(self, trigger_id, trigger, *args, **more)
        finally:
            line = {"kind": "trigger", "trigger": type(trigger).__qualname__, "counts": counts}
            names = {"dag": of.dag_id, "task": of.task_id} if of else {"dag": "", "task": ""}
            # other triggers run beside it: only the wall time is this one's own
            write_line({**line, **names, "wall": Spent.by_this_process().since(began).wall})

    runner.run_trigger = run_trigger
