"""Generated calls over the whole description of the API: every round makes others."""

from collections.abc import Iterator

from tests.e2e.conftest import NewTenant
from tests.e2e.generated_calls import call_everything
from tests.soak.rounds import Round

CASES_A_CALL = 5


def test_every_answer_to_generated_calls_is_in_the_description(rounds: Iterator[Round], new_tenant: NewTenant) -> None:
    for each in rounds:
        with each:
            outcome = call_everything(new_tenant(2), CASES_A_CALL, each.seed)
            each.did(calls=outcome.cases.total())
            outcome.check_answers()
