"""The implementations of the ports of ``service.ports``.

Input: the domain's values from the use cases. Output: calls of PostgreSQL, Kafka, fleet agents, object storage and
Airflow's own database. ``memory`` has the store's ports for tests and simulations. Use cases never import an adapter:
``bootstrap.ports_for`` passes them in.
"""
