"""A few generated calls of each kind, always the same; `make soak` makes many others (campaign `calls`)."""

from tests.e2e.conftest import NewTenant
from tests.e2e.generated_calls import call_everything

CASES_A_CALL, AT_LEAST = 4, 150


def test_every_response_to_generated_calls_conforms_to_the_openapi_description(new_tenant: NewTenant) -> None:
    call_everything(new_tenant(2), CASES_A_CALL).check_answers(AT_LEAST)
