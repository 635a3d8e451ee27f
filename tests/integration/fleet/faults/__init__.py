"""Faults of the demo agent's answers and connections, and sudden changes of a fleet."""
