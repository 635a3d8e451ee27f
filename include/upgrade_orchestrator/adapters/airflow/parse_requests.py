"""Asks Airflow's dag processor to parse one dag file now (API server only, since it writes Airflow's database)."""

from __future__ import annotations

import logging
import time

from upgrade_orchestrator.adapters.airflow.bundles import configured_bundle
from upgrade_orchestrator.adapters.airflow.database import Session, ask_airflow
from upgrade_orchestrator.domain.airflow.shards import shard_file

log = logging.getLogger(__name__)

ASK_AGAIN_SECONDS = 2.0
"Parsing a file rarely takes longer than this; the request is not repeated sooner."


class AirflowParseRequests:
    """Port ``ParseRequests``: a row in the dag processor's own queue.

    The dag processor drops a request for a file that it is parsing at that moment; the next regular parse may be half a
    minute away. So the control loops repeat the request until Airflow knows the DAG.
    """

    def __init__(self, bundle: str | None, folder: str) -> None:
        """With ``bundle`` None, the bundle is read from Airflow's configuration."""
        self._bundle = bundle
        self._folder = folder
        self._asked_at: dict[str, float] = {}

    async def ask(self, execution_id: str) -> None:
        """Does nothing if the same request was made within the last ``ASK_AGAIN_SECONDS``."""
        now = time.monotonic()
        self._asked_at = {each: at for each, at in self._asked_at.items() if now - at < ASK_AGAIN_SECONDS}
        if execution_id in self._asked_at:
            return
        self._asked_at[execution_id] = now
        try:
            await ask_airflow(lambda session: self._write(session, execution_id))
        except Exception:  # the upgrade has started anyway; the control loops repeat the request
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
            log.debug("another process requested %s at the same moment", path)


class NoParseRequests:
    """Port ``ParseRequests`` for workers and the triggerer, which may not open Airflow's database."""

    async def ask(self, execution_id: str) -> None:
        """Does nothing: the control loops notice within a second that the DAG is missing."""
