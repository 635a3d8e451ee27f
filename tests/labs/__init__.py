"""The base of tests of the use cases: a fleet, a store and a registry, and the steps that tests are made of.

A world (world.py) has the ports and the fleet, in memory (memory/) or on real servers; a lab (lab.py) drives upgrades
on it and reads the rows and the fleet's log; fleet/ is the demo fleet in this process; steps/ has the steps of tests
for canaries, stages, pools and endings, crash_after.py and random_crashes.py those for crashes.
"""
