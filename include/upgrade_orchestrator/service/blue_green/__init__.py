"""Carries out the decisions of ``domain.blue_green``: one look and one step a round, with the lease held.

``cutover.switch_over`` brings the traffic to the new pool as far as a step asks for, ``revert.switch_back`` takes it
back. ``runner`` is the loop of both, ``store`` their rows.
"""
