"""Measures events from the commit to a consumer: PostgreSQL, a real Kafka, and the relay as a process of its own.

Entry point: `measure_events` in events.py; world.py starts the servers.
"""
