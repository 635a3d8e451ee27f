"""The implementations of the ports of ``service.ports``.

In come the domain's values from the use cases; out come calls of PostgreSQL, Kafka, fleet agents, object storage and
Airflow's own database. ``memory`` has the store's ports for tests and simulations. Use cases never import an adapter:
``bootstrap.ports_for`` hands them over.
"""
