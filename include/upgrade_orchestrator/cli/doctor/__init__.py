"""``airflow upgrades doctor``: what is wrong with an installation, a line for each thing that it looks at.

Input: Airflow's configuration, its database, ours, and the agents. Output: findings, and exit code 1 when one of them
is an error. A look is a function without arguments that yields findings (``LOOKS`` in ``order``); another one is added
there. Nothing is changed, and every look has an end.
"""
