"""What the agent knows of a fleet, even after a crash: instances, faults and calls, replayed from its journal.

In: lines recorded by `Fleet.record`. Out: the state that the lines add up to. Entry point: `Fleet` in fleet.py.
"""
