"""Carries a plan out: batches, the canary monitor and the verification.

Input: a ``Context`` with execution, plan and deployment. Output: an ``Outcome``. ``batch.run_batch`` is the main
loop: each round observes the fleet, advances instances, decides and acts; ``batch_store`` reads and writes the rows.
``canary.monitor_canary`` polls the canaries, ``verification.verify`` completes the execution.
"""
