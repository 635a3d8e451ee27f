"""Generated calls over the whole description of the API: every round makes others, the first also all boundaries."""

from collections.abc import Iterator

from tests.e2e.conftest import NewTenant
from tests.e2e.generated_calls import call_everything
from tests.soak.rounds import Round

CASES_A_CALL, AT_LEAST, AT_LEAST_WITH_BOUNDARIES = 12, 400, 2000


def test_every_answer_to_generated_calls_is_in_the_description(rounds: Iterator[Round], new_tenant: NewTenant) -> None:
    for each in rounds:
        with each:
            first = each.number == 1
            outcome = call_everything(new_tenant(2), CASES_A_CALL, each.seed, boundaries=first)
            each.did(calls=outcome.cases.total())
            outcome.check_answers(AT_LEAST_WITH_BOUNDARIES if first else AT_LEAST)
