"""The stream of events into Kafka (port ``EventStream``).

Input: stored events, in order. Output: structured CloudEvents in a topic, and for each batch a report of what was
delivered, rejected or lost. The entry point is ``connection.open_stream``; ``stream`` keeps librdkafka on one thread.
"""
