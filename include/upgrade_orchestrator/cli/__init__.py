"""The commands ``airflow upgrades setup``, ``doctor`` and ``registry load | export``.

Input: command lines. Output: messages and exit codes: 0 for success, 1 for a problem, which is printed on a line of
its own. The entry point is ``airflow_commands.commands``, which the provider registers.
"""
