"""Carries out what ``domain.blue_green`` decides: a round observes the fleet and takes one action, holding the lease.

``cutover.run_cutover`` takes the cutover to the goal of its step, ``revert.run_revert`` reverts it. ``runner`` is the
loop of both, ``store`` reads and writes their rows.
"""
