"""Asks Airflow's dag processor to read one dag file now (API server only: it alone may write Airflow's database)."""

from __future__ import annotations

import logging
import time

from upgrade_orchestrator.adapters.airflow.bundles import configured_bundle
from upgrade_orchestrator.adapters.airflow.database import Session, ask_airflow
from upgrade_orchestrator.domain.airflow.shards import shard_file

log = logging.getLogger(__name__)

ASK_AGAIN_SECONDS = 2.0
"What reading a file takes at the most, usually: until then the request is not repeated."


class AirflowParseRequests:
    """Port ``ParseRequests``: a row in the dag processor's own queue.

    A request for a file that is being parsed at that moment is thrown away by the dag processor, which would cost half
    a minute: so the control loops ask again until Airflow knows the DAG.
    """

    def __init__(self, bundle: str | None, folder: str) -> None:
        """``bundle`` is None for the one that Airflow's configuration says."""
        self._bundle = bundle
        self._folder = folder
        self._asked_at: dict[str, float] = {}

    async def ask(self, execution_id: str) -> None:
        """Nothing happens for one that was asked for a moment ago."""
        now = time.monotonic()
        self._asked_at = {each: at for each, at in self._asked_at.items() if now - at < ASK_AGAIN_SECONDS}
        if execution_id in self._asked_at:
            return
        self._asked_at[execution_id] = now
        try:
            await ask_airflow(lambda session: self._write(session, execution_id))
        except Exception:  # whatever Airflow's database says, the upgrade is started
            log.warning("could not ask for the DAG of execution %s", execution_id, exc_info=True)

    def _write(self, session: Session, execution_id: str) -> None:
        from airflow.models.dagbag import DagPriorityParsingRequest as Request
        from sqlalchemy import select
        from sqlalchemy.exc import IntegrityError

        path, bundle = f"{self._folder}/{shard_file(execution_id)}", self._bundle or configured_bundle()
        same = select(Request.id).where(Request.bundle_name == bundle, Request.relative_fileloc == path)
        if session.scalar(same) is not None:
            return
        session.add(Request(bundle_name=bundle, relative_fileloc=path))
        try:
            session.flush()
        except IntegrityError:
            session.rollback()
            log.debug("%s was asked for at the same moment", path)


class LeftToTheLoops:
    """Port ``ParseRequests`` where Airflow's database may not be opened: in workers and in the triggerer."""

    async def ask(self, execution_id: str) -> None:
        """The control loops see within a second that the DAG is missing."""
