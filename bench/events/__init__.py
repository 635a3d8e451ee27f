"""Events from the commit to a consumer: PostgreSQL, a real Kafka, and the relay as a process of its own."""
