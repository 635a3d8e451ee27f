"""The frozen plan of an upgrade, and what to do next within it.

In come the request and the fleet, from which ``plan.make_plan`` makes the plan once. While it is carried out,
``batch.decide`` chooses what a batch does next under the budget, and ``steps.steps_of`` gives the order of all steps.
"""
