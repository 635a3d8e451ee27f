"""What the agent does: the orders it takes (orders.py), the transitions of instances (transitions.py), and their
health.

Entry point: `Agent` in agent.py.
"""
