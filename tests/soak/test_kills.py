"""Workers, triggerer, scheduler and API server are killed (-9) at random points of every strategy, one a round."""

from collections.abc import Iterator
from itertools import product

from local.stack.stack import Stack
from tests.e2e.conftest import NewTenant
from tests.soak.killing import COMPONENTS, ClientOf, roll_back_while_killing, upgrade_while_killing
from tests.soak.rounds import Round

FORMS = [*product((upgrade_while_killing, roll_back_while_killing), COMPONENTS)]


def test_upgrades_and_rollbacks_end_when_components_are_killed_at_random(
    rounds: Iterator[Round], stack: Stack, new_tenant: NewTenant, client_of: ClientOf
) -> None:
    for each in rounds:
        with each:
            form, component = each.turn(FORMS)
            each.did(f"{form.__name__}, {component}")
            executions = form(stack, new_tenant, client_of, component, each.random)
            each.did(kills=1, executions=executions)
