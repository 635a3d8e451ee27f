"""What is done with committed events: live feed, relay to Kafka, metrics and notices.

Input: stored events. Output: Server-Sent Events (``feed.LiveFeed``), Kafka messages (``relay.Relay``), metrics
(``metrics.measure``) and Airflow notices (``notifications.send_notices``). Each reads at its own pace from its own
position.
"""
