"""The steps of an upgrade: one table of what each needs and does, for every task, trigger and control loop.

In comes a step of ``domain.plan.steps``, from a task of Airflow's or from a control loop; out comes an ``Outcome``.
``work.run_step`` is what a task does: the step, whatever before it is open, and what is due at once after it.
"""
