"""Airflow's producer hook, with what the relay relies on; the rest is the connection's to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow.providers.apache.kafka.hooks.produce import KafkaProducerHook
from confluent_kafka import KafkaError, Producer

DEFAULTS: dict[str, Any] = {
    "client.id": "upgrades-relay",
    "linger.ms": 2,
    # where the same key goes with the Java clients
    "partitioner": "murmur2_random",
    "reconnect.backoff.max.ms": 2000,
    "socket.keepalive.enable": True,
    # librdkafka writes to standard error at every attempt; what matters of it is in our own log
    "log_level": 0,
}
NEEDED: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    # a message that fails stops the ones behind it, so that none gets ahead of it
    "enable.gapless.guarantee": True,
    # for the same reason none is given up alone: the stream as a whole is, by the relay
    "message.timeout.ms": 0,
}
_OTHER_NAMES = frozenset({"request.required.acks", "delivery.timeout.ms"})
"Of what is needed: two for one thing would contradict each other."


class RelayHook(KafkaProducerHook):
    """Makes the relay's producer from the extra of an Airflow connection of type ``kafka``."""

    def __init__(self, conn_id: str, on_error: Callable[[KafkaError], None]) -> None:
        super().__init__(conn_id)
        self._on_error = on_error

    def _get_client(self, config: dict[str, Any]) -> Producer:
        return Producer(with_needs(config) | {"error_cb": self._on_error})


def with_needs(config: Mapping[str, Any]) -> dict[str, Any]:
    """The connection's configuration over our defaults, and what is needed over both."""
    said = {name: value for name, value in config.items() if name not in _OTHER_NAMES}
    return DEFAULTS | said | NEEDED
