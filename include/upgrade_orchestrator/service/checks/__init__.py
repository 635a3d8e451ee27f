"""The pre-upgrade checks: run them, store the results, admit the execution.

Input: the id of an execution in VALIDATING. Output: stored results, and an execution that is admitted or FAILED.
``run.validate`` runs all checks in the first step, ``run.run_check`` one check in its own task; ``probes.run_probe``
makes a check. ``preconditions.require_runnable`` repeats the cheap ones before an upgrade continues.
"""
