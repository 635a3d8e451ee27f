"""The commands ``airflow upgrades setup`` and ``airflow upgrades registry load | export``.

In come command lines, out come messages and exit codes: 0 for success, 1 for a problem, which is printed in a line of
its own. The front door is ``airflow_commands.commands``, which the provider registers.
"""
