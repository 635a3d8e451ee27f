"""Upgrade Orchestrator: upgrades a component across a tenant's instances, as DAGs of Apache Airflow.

``domain`` has the rules, ``service`` the use cases and the ports, ``adapters`` the ports' implementations. ``flow``
(DAGs), ``web`` (REST API and pages) and ``cli`` (commands) call the use cases; ``bootstrap`` wires all of it. Imports
go in this direction only, which import-linter checks.
"""
