"""Carries out the decisions of ``domain.blue_green``: one look and one step a round, with the lease held.

``cutover.run_cutover`` brings the traffic to the new pool as far as a step asks for, ``revert.run_revert`` takes it
back. ``runner`` is the loop of both, ``store`` their rows.
"""
