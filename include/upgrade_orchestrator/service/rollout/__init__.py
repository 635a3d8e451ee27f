"""Brings instances to a version, batch by batch, and verifies the result.

``batch.run_batch`` is the main loop of the product: observe, bring on, decide, act. ``batch_store`` has its rows,
``canary`` watches the canaries until their promotion, ``verification`` completes the upgrade.
"""
