"""The DAG bundle with the upgrades' files, and what the dag processor has made of them."""

from __future__ import annotations

from collections.abc import Iterator

from upgrade_orchestrator.cli.doctor.finding import Finding, error, well
from upgrade_orchestrator.domain.execution.execution import REQUEST_DAG
from upgrade_orchestrator.settings import Settings

MAX_ERRORS = 5
"Import errors that are listed; they usually have one cause."


def look_at_bundle() -> Iterator[Finding]:
    """Whether the options lead to the files."""
    from upgrade_orchestrator.adapters.airflow.checked_bundle import checked_bundle

    settings = Settings.read()
    try:
        name = checked_bundle(settings.dag_bundle, settings.dags_folder)
    except ValueError as failed:
        yield error("bundle", str(failed))
    else:
        yield well("bundle", f"the DAG files are in {name}")


def look_at_dag_files() -> Iterator[Finding]:
    """Whether the dag processor has read them, and with which errors."""
    from upgrade_orchestrator.adapters.airflow.bundles import configured_bundle

    settings = Settings.read()
    bundle = settings.dag_bundle or configured_bundle()
    failed = [_import_error(*each) for each in _import_errors(bundle, settings.dags_folder)]
    yield from failed[:MAX_ERRORS]
    found = _bundle_of_the_request_dag()
    if found is None and not failed:
        yield error(
            "DAG files", "not read yet", f"start the dag processor; its configuration must have bundle {bundle}"
        )
    elif found is not None and found != bundle:
        yield error("DAG files", f"read from the bundle {found}, not from {bundle}", "leave out one of the two")
    elif not failed:
        yield well("DAG files", f"read from the bundle {bundle}, without import errors")


def _import_error(file: str, trace: str) -> Finding:
    last = trace.strip().splitlines()[-1] if trace.strip() else "no reason given"
    return error("DAG files", f"{file} cannot be imported ({last[:300]})", "airflow dags list-import-errors says more")


def _import_errors(bundle: str, folder: str) -> list[tuple[str, str]]:
    """File and traceback of each import error in files of ours, at most one more than are listed."""
    from airflow.models.errors import ParseImportError
    from sqlalchemy import or_, select

    from upgrade_orchestrator.adapters.airflow.database import within_session

    ours = or_(
        *(ParseImportError.filename.contains(each, autoescape=True) for each in (f"{folder}/shard_", REQUEST_DAG))
    )
    query = select(ParseImportError.filename, ParseImportError.stacktrace)
    query = query.where(ParseImportError.bundle_name == bundle, ours).order_by(ParseImportError.filename)
    return within_session(
        lambda session: [(str(file), str(trace or "")) for file, trace in session.execute(query.limit(MAX_ERRORS + 1))]
    )


def _bundle_of_the_request_dag() -> str | None:
    """The bundle of the DAG that is there before the first upgrade; None: it was never read, or is gone."""
    from airflow.models.dag import DagModel
    from sqlalchemy import select

    from upgrade_orchestrator.adapters.airflow.database import within_session

    query = select(DagModel.bundle_name).where(DagModel.dag_id == REQUEST_DAG, DagModel.is_stale.is_(False))
    found: str | None = within_session(lambda session: session.scalar(query))
    return found
