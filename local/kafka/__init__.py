"""The Kafka of the local stack: the mock cluster (mock.py), or a real broker in KRaft mode (broker.py, jars by Maven).

choice.py decides which one; out comes a server at the stack's Kafka port.
"""
