"""What the faults of local.fleet.state.faults do to answers (answers.py) and connections (connections.py), and sudden
changes of a fleet, as people and autoscalers make them (changes.py).
"""
