"""Use case: what the first task of a run does, in a worker: the checks, and all that follows them at once."""

from __future__ import annotations

from include.upgrades.service.ports import Ports
from include.upgrades.service.press_on import press_on
from include.upgrades.service.pulse import now_seconds
from include.upgrades.service.run_check import run_checks

PATIENCE_SECONDS = 1.0
"A worker waits no longer than this for a batch to be due: delays are the triggerer's."


async def begin_upgrade(ports: Ports, execution_id: str, seconds: float) -> None:
    """Bring the upgrade on for about ``seconds``; where it is by then, the tasks of its steps go on.

    Those would come to the same without it, some seconds later: nothing depends on this.

    :raises NotFound: no such execution.
    """
    end = now_seconds() + seconds
    await run_checks(ports, execution_id, seconds)
    await press_on(ports, execution_id, None, PATIENCE_SECONDS, end - now_seconds())
