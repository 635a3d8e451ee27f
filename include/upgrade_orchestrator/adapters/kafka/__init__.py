"""The stream of events into Kafka (port ``EventStream``).

In come stored events, in order; out come structured CloudEvents in a topic, and for each batch a report of what was
delivered, refused or lost. The front door is ``connection.open_stream``; ``stream`` keeps librdkafka on one thread.
"""
