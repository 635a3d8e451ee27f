"""What the agent knows of a fleet, also after a crash: instances, faults and calls, replayed from its journal."""
