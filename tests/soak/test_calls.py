"""Generated calls over the whole OpenAPI description: every round makes others, the second also all boundaries."""

from collections.abc import Iterator

from tests.e2e.conftest import NewTenant
from tests.e2e.generated_calls import call_everything
from tests.soak.rounds import Round

CASES_A_CALL, AT_LEAST, AT_LEAST_WITH_BOUNDARIES = 6, 200, 1800
BOUNDARIES = 2
"The number of the round that takes longest: a soak of minutes does not reach it."


def test_every_response_to_generated_calls_conforms_to_the_openapi_description(
    rounds: Iterator[Round], new_tenant: NewTenant
) -> None:
    for each in rounds:
        with each:
            all_limits = each.number == BOUNDARIES
            outcome = call_everything(new_tenant(2), CASES_A_CALL, each.seed, boundaries=all_limits)
            each.did(calls=outcome.cases.total())
            outcome.check_answers(AT_LEAST_WITH_BOUNDARIES if all_limits else AT_LEAST)
