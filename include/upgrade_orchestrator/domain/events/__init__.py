"""The data of the events, and the metrics and notices that follow from events.

In come changed instances, batches and checks; out come events (``factory``) with the data classes of ``payloads``, from
which docs/events.md and the schemas are generated. ``event_metrics.metric_values`` and ``notifications.notice_of`` read
events.
"""
