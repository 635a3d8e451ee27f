"""The end of an execution: finish what is in flight, roll back, undrain, settle.

Input: a terminal execution or one that rolls back. Output: a settled one, whose active slot is free.
``finalize.end_upgrade`` is the task ``end``, ``finalize.finalize_abandoned`` the control loop for executions without
a DAG run; ``rollback`` reverts instances.
"""
