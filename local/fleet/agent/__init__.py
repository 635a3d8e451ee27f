"""What the agent does: the orders it takes (orders.py), the transitions of instances (transitions.py), and their
health.

Front door: `Agent` in agent.py.
"""
