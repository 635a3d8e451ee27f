"""The lifecycle machine: random commands, faults, crashes and actions in Airflow, and the rules that must always hold.

machine.py has the whole machine; rules/ has what it may do, ledger.py and bench.py what must hold. It runs on the store
in memory or on PostgreSQL (stores/), with simulated fleets, and with runners that go one port call at a time
(stepped.py). search.py looks for a life that breaks a rule.
"""
