"""Asks Airflow's dag processor to read one dag file now (API server only: it alone may write Airflow's database)."""

from __future__ import annotations

import asyncio
import logging

from include.upgrades.domain.shards import shard_file

log = logging.getLogger(__name__)


class AirflowParseRequests:
    """Port ``ParseRequests``: a row in the dag processor's own queue."""

    def __init__(self, bundle: str, folder: str) -> None:
        self._bundle = bundle
        self._folder = folder

    async def ask(self, execution_id: str) -> None:
        """Never fails: without the row the file is read at the next regular turn."""
        path = f"{self._folder}/{shard_file(execution_id)}"
        try:
            await asyncio.to_thread(self._write, path)
        except Exception:  # whatever Airflow's database says, the upgrade is started
            log.warning("could not ask for %s to be parsed now", path, exc_info=True)

    def _write(self, path: str) -> None:
        from airflow.models.dagbag import DagPriorityParsingRequest
        from airflow.utils.session import create_session
        from sqlalchemy.exc import IntegrityError

        try:
            with create_session() as session:
                session.add(DagPriorityParsingRequest(bundle_name=self._bundle, relative_fileloc=path))
        except IntegrityError:
            pass  # asked for already
