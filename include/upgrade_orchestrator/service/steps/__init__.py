"""The steps of an upgrade: one table of what each needs and does, for every task, trigger and control loop.

Input: a step of ``domain.plan.steps``, from an Airflow task or from a control loop. Output: an ``Outcome``.
``work.run_step`` is what a task does: unfinished steps before the step, the step itself, and what is due at once after.
"""
