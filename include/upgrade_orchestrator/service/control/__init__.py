"""The control loops, which one API server at a time runs: the leader.

``loops.run_control_loops`` is the main loop and ``loops.LOOPS`` the list of what it calls, such as
``reconcile.reconcile``, which compares executions with their DAG runs and resolves the drift.
"""
