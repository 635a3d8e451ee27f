"""Where an upgrade's CPU time goes: measured, read from the lines of the probe, and shown as tables."""
