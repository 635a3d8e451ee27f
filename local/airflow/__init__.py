"""Airflow in the local stack: its settings (settings.py), its set-up (setup.py), `airflow_settings.yaml`, health
checks.

In: ports and secrets of the stack. Out: the environment and command line of each Airflow process, and whether it is
well.
"""
