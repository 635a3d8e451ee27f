"""The frozen plan of an upgrade, and what to do next within it.

``plan.make_plan`` makes the plan once, from the request and the fleet. While it is carried out, ``batch.decide``
chooses what a batch does next under the budget, and ``steps.steps_of`` gives the order of all steps.
"""
