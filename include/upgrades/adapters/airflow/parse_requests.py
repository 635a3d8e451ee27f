"""Asks Airflow's dag processor to read one dag file now (API server only: it alone may write Airflow's database)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from include.upgrades.domain.execution import dag_id_of
from include.upgrades.domain.shards import shard_file

log = logging.getLogger(__name__)


ASK_AGAIN_SECONDS = 2.0
ASK_AT_MOST = 15


class AirflowParseRequests:
    """Port ``ParseRequests``: a row in the dag processor's own queue, until the DAG is there.

    A request for a file that is being parsed at that moment is thrown away by the dag processor, which would cost half
    a minute: so it is asked again, in the background, until Airflow knows the DAG.
    """

    def __init__(self, bundle: str, folder: str) -> None:
        self._bundle = bundle
        self._folder = folder
        self._following: set[asyncio.Task[None]] = set()

    async def ask(self, execution_id: str) -> None:
        """Never fails: without any row the file is read at its next regular turn."""
        await self._try(self._write, execution_id)
        task = asyncio.create_task(self._follow(execution_id))
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    async def _follow(self, execution_id: str) -> None:
        for _ in range(ASK_AT_MOST):
            await asyncio.sleep(ASK_AGAIN_SECONDS)
            if await self._try(self._is_known, execution_id):
                return
            await self._try(self._write, execution_id)

    async def _try(self, act: Callable[[str], bool], execution_id: str) -> bool:
        try:
            return await asyncio.to_thread(act, execution_id)
        except Exception:  # whatever Airflow's database says, the upgrade is started
            log.warning("could not ask for the DAG of execution %s", execution_id, exc_info=True)
            return False

    def _write(self, execution_id: str) -> bool:
        from airflow.models.dagbag import DagPriorityParsingRequest as Request
        from airflow.utils.session import create_session
        from sqlalchemy import select
        from sqlalchemy.exc import IntegrityError

        path = f"{self._folder}/{shard_file(execution_id)}"
        same = select(Request.id).where(Request.bundle_name == self._bundle, Request.relative_fileloc == path)
        try:
            with create_session() as session:
                if session.scalar(same) is None:
                    session.add(Request(bundle_name=self._bundle, relative_fileloc=path))
        except IntegrityError:
            log.debug("%s was asked for at the same moment", path)
        return True

    def _is_known(self, execution_id: str) -> bool:
        from airflow.models.dag import DagModel
        from airflow.utils.session import create_session
        from sqlalchemy import select

        known = select(DagModel.dag_id).where(DagModel.dag_id == dag_id_of(execution_id), DagModel.is_stale.is_(False))
        with create_session() as session:
            return session.scalar(known) is not None
