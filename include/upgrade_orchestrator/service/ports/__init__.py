"""The ports: protocols through which use cases reach the database, fleets, Airflow and Kafka.

``unit_of_work.Ports`` is what every use case gets; ``unit_of_work.UnitOfWork`` is one transaction with its ``stores``.
The packages of ``adapters`` implement these protocols, ``adapters/memory`` for tests.
"""
