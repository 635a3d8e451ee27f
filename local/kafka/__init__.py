"""The Kafka of the local stack: the mock cluster, or a real broker in KRaft mode with its jars through Maven."""
