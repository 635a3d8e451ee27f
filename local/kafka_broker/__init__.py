"""A real Apache Kafka for the local stack and the tests: one broker in KRaft mode, its jars through Maven."""
