"""The lifecycle machine: random commands, faults, crashes and actions in Airflow, and the rules that must always hold.

machine.py has the whole machine; operators.py, airflow.py and faults.py have its rules, ledger.py and bench.py what
must
hold. It runs on the store in memory (memory_store.py) or on PostgreSQL (postgres_store.py), with simulated fleets, and
with runners that go one port call at a time (stepped.py). search.py looks for a life that breaks a rule.
"""
