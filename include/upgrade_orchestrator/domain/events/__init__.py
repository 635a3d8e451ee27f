"""The data of the events, and the metrics and notices that follow from events.

Input: changed instances, batches and checks. Output: events (``factory``) with the data classes of ``payloads``, from
which docs/events.md and the schemas are generated. ``event_metrics.metric_values`` and ``notifications.notice_of`` read
events.
"""
