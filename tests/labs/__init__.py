"""The base of tests of the use cases: a fleet, a store and a registry, and the steps that tests are made of.

A world (world.py) has the ports and the fleet, in memory or on real servers; a lab (lab.py) drives upgrades on it and
reads the rows and the fleet's log; agent.py, wire.py and nursery.py are the fleet in this process; the other files have
the steps of tests for canaries, stages, pools, endings and deaths.
"""
