"""How many statements and transactions one upgrade sends: exact, so that none is added unnoticed."""

from tests.exact_counts import hold
from tests.integration.runner.reference_job import reference_job
from upgrade_orchestrator.domain.execution.states import ExecutionStatus


def test_upgrade_sends_the_statements_and_transactions_that_the_document_names(postgres_url: str) -> None:
    execution, sent = reference_job(postgres_url)
    assert execution.status is ExecutionStatus.COMPLETED, execution.status_reason
    counted = {task: tuple(map(str, found)) for task, found in sent.by_task.items()}
    statements, transactions = (sum(column) for column in zip(*sent.by_task.values(), strict=True))
    counted["one upgrade"] = (str(statements), str(transactions))
    hold("statements and transactions of", counted)
