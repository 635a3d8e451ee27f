"""Where an upgrade's CPU time goes: measured (costs.py), read from the probe's lines (lines.py), shown as tables
(report.py).
"""
