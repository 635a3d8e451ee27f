"""Opens the stream into Kafka with an Airflow connection; without a connection, publishing is off."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from confluent_kafka import KafkaError, Producer

from upgrade_orchestrator.adapters.kafka.stream import KafkaStream
from upgrade_orchestrator.service.ports.outbox import KafkaNotConfigured, KafkaUnavailable


async def open_stream(conn_id: str, topic: str) -> KafkaStream:
    """Open a stream into ``topic``, with the connection as it is defined now.

    :raises KafkaNotConfigured: the connection is not defined.
    :raises KafkaUnavailable: Kafka does not answer, has no such topic or refuses us.
    """
    stream = KafkaStream(topic)
    try:
        await stream.open(partial(_producer, conn_id))
    except BaseException:
        await stream.close()
        raise
    return stream


def _producer(conn_id: str, on_error: Callable[[KafkaError], None]) -> Producer:
    from airflow.sdk.exceptions import AirflowNotFoundException

    from upgrade_orchestrator.adapters.kafka.hook import RelayHook

    try:
        return RelayHook(conn_id, on_error).get_conn  # get_producer() does the same, and logs a line each time
    except AirflowNotFoundException as error:
        raise KafkaNotConfigured(f"the Airflow connection {conn_id} is not defined") from error
    except Exception as error:  # the hook, librdkafka and their plugins raise many types
        raise KafkaUnavailable(f"the Airflow connection {conn_id} cannot be used: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Safe to log: librdkafka names the setting, never its value."""
    first = error.args[0] if error.args else ""
    return first.str() if isinstance(first, KafkaError) else type(error).__name__
