"""Measures what many waiting canaries hold (worker slots, connections) and cost, and prints it as a table.

Entry point: `measure_canaries` in canaries.py, then its report in report.py.
"""
