"""Processes of the stack: under which account they run, and how they are recorded, found again, and stopped.

Entry point: `Processes` in processes.py; `.local/run` has a record of each, so that any process may ask and stop.
"""
